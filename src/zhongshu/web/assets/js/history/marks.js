/** What lies behind the lines of a plot: hatching where samples are known to be missing, marks where quality was not Good. */

const STEP = 7;
const GAP_LEAST = 3;

export function drawMarks(plot, { spans, bad }, { soft, warn }) {
  const { left, top, width, height } = plot.bbox;
  const g = plot.ctx;
  const x = (s) => plot.valToPos(s, "x", true);
  g.save();
  g.beginPath();
  g.rect(left, top, width, height);
  g.clip();
  for (const [start, end] of spans) {
    const from = Math.max(left, x(start));
    const to = Math.min(left + width, Math.max(x(end), x(start) + GAP_LEAST));
    if (to > from) hatch(g, from, top, to - from, height, soft);
  }
  g.fillStyle = warn;
  for (const [start, end] of bad) g.fillRect(x(start), top + height - 5, Math.max(2, x(end) - x(start)), 5);
  g.restore();
}

function hatch(g, x, y, w, h, colour) {
  g.save();
  g.beginPath();
  g.rect(x, y, w, h);
  g.clip();
  g.strokeStyle = colour;
  g.globalAlpha = 0.55;
  g.lineWidth = 1;
  g.beginPath();
  for (let d = -h; d < w; d += STEP) {
    g.moveTo(x + d, y + h);
    g.lineTo(x + d + h, y);
  }
  g.stroke();
  g.restore();
}
