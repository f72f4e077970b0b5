/** What painting needs everywhere: colours of the theme, hatchings, and text that is cut to fit without being measured. */

export const FONT = "'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', system-ui, sans-serif";
const NAMES = [
  "back", "panel", "raised", "line", "ink", "soft", "alarm", "on-alarm", "alarm-text", "warn", "minor", "now", "hatch", "on-now", "past", "past-edge", "past-ink",
  "plan", "plan-edge", "plan-ink", "run", "run-ink", "run-rest", "set-up", "shade", "closed",
];

/** Colours of the theme in force, read once a theme. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Lines of one slope as a pattern; `gap` and `width` in CSS pixels. */
export function hatching(g, colour, ratio, gap, width, both = false) {
  const size = Math.round(gap * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const p = tile.getContext("2d");
  p.strokeStyle = colour;
  p.lineWidth = width * ratio;
  p.beginPath();
  for (const shift of [-size, 0, size]) {
    p.moveTo(shift, size);
    p.lineTo(shift + size, 0);
    if (both) {
      p.moveTo(shift, 0);
      p.lineTo(shift + size, size);
    }
  }
  p.stroke();
  const pattern = g.createPattern(tile, "repeat");
  pattern.ratio = ratio;
  return pattern;
}

/** Let a pattern travel with the time, so that it does not swim while the chart is moved. */
export function anchor(pattern, x, y) {
  pattern.setTransform(new DOMMatrix([1 / pattern.ratio, 0, 0, 1 / pattern.ratio, x, y]));
}

const books = new Map();

/** As much of `text` as fits into `room` pixels, with … where something is left out; empty where hardly anything fits. */
export function cut(g, text, room) {
  let book = books.get(g.font);
  if (!book) books.set(g.font, (book = new Map()));
  let width = 0;
  let fits = 0;
  const dots = measure(g, book, "…");
  for (let k = 0; k < text.length; k++) {
    width += measure(g, book, text[k]);
    if (width + dots <= room) fits = k + 1;
    if (width > room) return fits > 1 ? `${text.slice(0, fits)}…` : "";
  }
  return text;
}

function measure(g, book, sign) {
  let width = book.get(sign);
  if (width === undefined) book.set(sign, (width = g.measureText(sign).width));
  return width;
}

export function diamond(g, x, y, size) {
  g.beginPath();
  g.moveTo(x, y - size);
  g.lineTo(x + size, y);
  g.lineTo(x, y + size);
  g.lineTo(x - size, y);
  g.closePath();
}
