/** Draws the floor: state by shape before colour, so that it can be read in grey and by whoever sees no red. */

import { byHand, kindOf, modeName, plant, stateWord, unitName } from "../plant.js";
import { label, lasting, n, t } from "../words.js";

const HEADING_LEAST = 0.001;
const FONT = "'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', system-ui, sans-serif";

/** Colours of the theme in force, read once a theme. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["panel", "line", "ink", "soft", "gear", "gear-edge", "gear-ink", "alarm", "on-alarm", "warn", "minor", "now", "road", "back", "hatch"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Everything, onto a canvas context that is scaled to CSS pixels. */
export function drawFloor(g, plan, picture, look) {
  drawRoads(g, plan, look);
  for (const box of plan.boxes) drawArea(g, box, picture, look);
  for (const [i, square] of plan.squares) drawUnit(g, square, picture.units[i], look);
  look.under?.(g, plan, look); // what another page lays under the vehicles
  if (plan.at) picture.vehicles.forEach((row) => row?.length && drawVehicle(g, plan, row, look));
  drawTags(g, plan, picture, look);
  for (const [i, width] of [[look.chosen, 2], [look.hovered, 1.5]]) {
    const square = plan.squares.get(i);
    if (square) outline(g, square, look.c.now, width, 3);
  }
}

function drawRoads(g, plan, { c, rem }) {
  g.strokeStyle = c.road;
  g.lineWidth = Math.max(3, plan.vehicle * 0.62);
  g.lineCap = "round";
  g.beginPath();
  for (const [x0, y0, x1, y1] of plan.roads.lanes) {
    g.moveTo(x0, y0);
    g.lineTo(x1, y1);
  }
  g.stroke();
  g.fillStyle = c.soft;
  g.font = `600 ${0.68 * rem}px ${FONT}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  for (const [x, y] of plan.roads.chargers) g.fillText("ϟ", x, y);
}

function drawArea(g, { area, units, x, y, w, h }, picture, { c, rem }) {
  g.fillStyle = c.panel;
  g.strokeStyle = c.line;
  g.lineWidth = 1;
  rounded(g, x, y, w, h, 3);
  g.fill();
  g.stroke();
  const busy = units.filter((i) => kindOf(picture.units[i]) === "run").length;
  const known = units.some((i) => picture.units[i] && !(picture.units[i][5] & 2));
  const share = known ? `${n((100 * busy) / units.length)} %` : "";
  g.textBaseline = "top";
  g.font = `${0.78 * rem}px ${FONT}`;
  const shareWidth = g.measureText(share).width + 0.4 * rem;
  const room = w - 1.1 * rem;
  g.font = `600 ${0.84 * rem}px ${FONT}`;
  const name = label(area.name);
  const both = g.measureText(name).width + shareWidth <= room; // where there is no room for both, the name goes first
  g.fillStyle = c.ink;
  g.textAlign = "left";
  g.fillText(clipped(g, name, room), x + 0.6 * rem, y + 0.5 * rem);
  if (!both) return;
  g.font = `${0.78 * rem}px ${FONT}`;
  g.fillStyle = c.soft;
  g.textAlign = "right";
  g.fillText(share, x + w - 0.55 * rem, y + 0.55 * rem);
}

/** One device; its row is explained in web/scene.py. */
export function drawUnit(g, square, row, { c, rem }) {
  const kind = kindOf(row);
  const { x, y, w, h } = square;
  g.lineWidth = 1;
  rounded(g, x, y, w, h, 2.5);
  g.fillStyle = kind === "run" ? c.gear : kind === "down" ? c.alarm : c.panel;
  g.fill();
  if (kind === "wait") hatched(g, square, c.hatch);
  g.strokeStyle = kind === "down" ? c.alarm : kind === "stale" ? c.soft : c["gear-edge"];
  g.setLineDash(kind === "stale" ? [3, 3] : []);
  rounded(g, x, y, w, h, 2.5);
  g.stroke();
  g.setLineDash([]);
  if (kind === "run" && row[2] >= 0) {
    g.fillStyle = c["gear-ink"];
    const room = w * 0.76;
    g.fillRect(x + (w - room) / 2, y + h * 0.78, Math.max(1, (room * Math.min(100, row[2])) / 100), Math.max(1.5, h * 0.09));
  }
  if (kind === "down") crossed(g, square, c["on-alarm"]);
  if (kind === "stopped") crossed(g, square, c.ink);
  if (byHand(row)) sign(g, square, t(`mode-sign.${modeName(row)}`), c, rem);
}

function hatched(g, { x, y, w, h }, colour) {
  g.save();
  rounded(g, x, y, w, h, 2.5);
  g.clip();
  g.strokeStyle = colour;
  g.lineWidth = 1;
  g.beginPath();
  for (let d = -h; d < w; d += Math.max(3.5, w / 6)) {
    g.moveTo(x + d, y + h);
    g.lineTo(x + d + h, y);
  }
  g.stroke();
  g.restore();
}

function crossed(g, { x, y, w, h }, colour) {
  g.strokeStyle = colour;
  g.lineWidth = Math.max(1.5, w * 0.07);
  g.beginPath();
  g.moveTo(x + w * 0.32, y + h * 0.32);
  g.lineTo(x + w * 0.68, y + h * 0.68);
  g.moveTo(x + w * 0.68, y + h * 0.32);
  g.lineTo(x + w * 0.32, y + h * 0.68);
  g.stroke();
}

/** The first letter of a mode that is not production, on a plate in the middle of the device. */
function sign(g, { x, y, w, h }, text, c, rem) {
  const size = Math.min(w * 0.62, rem);
  g.font = `700 ${size}px ${FONT}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillStyle = c.panel;
  rounded(g, x + w * 0.14, y + h * 0.12, w * 0.72, h * 0.72, 2);
  g.fill();
  g.strokeStyle = c.ink;
  g.lineWidth = 1;
  g.stroke();
  g.fillStyle = c.ink;
  g.fillText(text, x + w / 2, y + h * 0.5);
}

/** A box with a point where it heads, filled inside when it carries a lot. */
export function drawVehicle(g, plan, row, { c }) {
  const [x, y] = plan.at(row[0], row[1]);
  drawVehicleAt(g, x, y, plan.vehicle, row, c);
}

export function drawVehicleAt(g, x, y, size, row, c) {
  const [length, width] = [size * 1.25, size * 0.78];
  const silent = row[6] & 16;
  const faulty = !silent && row[6] & 12;
  const ink = silent ? c.soft : c.ink;
  g.save();
  g.translate(x, y);
  if (Math.abs(row[2]) > HEADING_LEAST) g.rotate(row[2]);
  g.fillStyle = faulty ? c.alarm : c.panel;
  g.strokeStyle = faulty ? c.alarm : ink;
  g.lineWidth = 1.3;
  g.setLineDash(silent ? [3, 3] : []);
  rounded(g, -length / 2, -width / 2, length, width, 2);
  g.fill();
  g.stroke();
  g.setLineDash([]);
  g.beginPath();
  g.moveTo(length / 2 + 1.5, -width * 0.28);
  g.lineTo(length / 2 + width * 0.42 + 1.5, 0);
  g.lineTo(length / 2 + 1.5, width * 0.28);
  g.fillStyle = faulty ? c.alarm : ink;
  g.fill();
  if (row[3]) g.fillRect(-length * 0.28, -width * 0.26, length * 0.56, width * 0.52);
  g.restore();
  if (row[6] & 2 && !silent) {
    g.fillStyle = c.ink;
    g.font = `700 ${size * 0.7}px ${FONT}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.fillText("ϟ", x, y);
  }
}

/** Devices that are down carry a plate with their name and for how long; plates that would cover another one are left out. */
function drawTags(g, plan, picture, { c, rem, now }) {
  const size = 0.78 * rem;
  const taken = [];
  for (const [i, square] of plan.squares) {
    const row = picture.units[i];
    if (kindOf(row) !== "down") continue;
    outline(g, square, c.alarm, 1.2, 3);
    g.font = `700 ${size}px ${FONT}`;
    const since = row[6] ? ` ${lasting(now - row[6])}` : "";
    const text = plan.at ? `${unitName(plant.units[i].id)} ${stateWord(row)}${since}` : since.trim() || stateWord(row);
    const w = g.measureText(text).width + 0.6 * rem;
    const h = 1.15 * rem;
    const y = Math.max(1, square.y - h - 5);
    const x = Math.max(besideTitle(g, plan, i, y, rem), Math.min(square.x + square.w / 2 - w / 2, plan.width - w - 2));
    if (taken.some((o) => x < o.x + o.w && o.x < x + w && y < o.y + o.h && o.y < y + h)) continue;
    taken.push({ x, y, w, h });
    g.fillStyle = c.alarm;
    rounded(g, x, y, w, h, 2);
    g.fill();
    g.fillStyle = c["on-alarm"];
    g.textAlign = "left";
    g.textBaseline = "middle";
    g.fillText(text, x + 0.3 * rem, y + h / 2 + 0.5);
  }
}

/** Where a plate may begin at this height, so that it does not cover the name of its area. */
function besideTitle(g, plan, i, y, rem) {
  const box = plan.boxes.find(({ units }) => units.includes(i));
  if (!box || y > box.y + 1.7 * rem) return 2;
  g.save();
  g.font = `600 ${0.84 * rem}px ${FONT}`;
  const right = box.x + g.measureText(label(box.area.name)).width + 1.1 * rem;
  g.restore();
  return right;
}

function outline(g, { x, y, w, h }, colour, width, away) {
  g.strokeStyle = colour;
  g.lineWidth = width;
  rounded(g, x - away, y - away, w + 2 * away, h + 2 * away, 3);
  g.stroke();
}

function rounded(g, x, y, w, h, r) {
  g.beginPath();
  g.roundRect(x, y, w, h, r);
}

function clipped(g, text, room) {
  if (g.measureText(text).width <= room) return text;
  let some = text;
  while (some.length > 1 && g.measureText(`${some}…`).width > room) some = some.slice(0, -1);
  return `${some}…`;
}
