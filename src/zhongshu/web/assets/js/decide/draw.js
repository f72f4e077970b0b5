/** Draws the chart: only what is in sight, text only where there is room, every state by shape before colour. */

import { plant, productName, unitName } from "../plant.js";
import { n, t } from "../words.js";
import { drawAxis, drawGrid } from "./axis.js";
import { drawClosed } from "./closed.js";
import { drawGhost, drawLinks } from "./links.js";
import { FONT, cut, diamond } from "./paint.js";
import { DONE, PLANNED, RUNNING } from "./plan.js";
import { firstAfter } from "./rows.js";

const LONGEST_SETUP_S = 3600;
const ROUND_LEAST = 7; // narrower bars have corners: nobody sees the difference, and they are many
const TEXT_LEAST = 18;
const LABEL_LEAST = 11;
const DIM = 0.48; // what is not of the chosen order stands back

/** The whole chart onto a context that is scaled to CSS pixels; returns how many bars were drawn. */
export function drawChart(g, plan, rows, view, look) {
  g.fillStyle = look.c.panel;
  g.fillRect(0, 0, view.width, view.height);
  g.save();
  g.beginPath();
  g.rect(view.gutter, view.axis, view.plot, view.height - view.axis);
  g.clip();
  drawGrid(g, view, look);
  const first = Math.max(0, Math.floor(view.top / view.row));
  const last = Math.min(rows.length - 1, Math.floor((view.top + view.height - view.axis) / view.row));
  let count = 0;
  for (let r = first; r <= last; r++) drawClosed(g, rows[r], view.y(r), view, look);
  shade(g, plan, view, look);
  for (let r = first; r <= last; r++) count += drawRow(g, plan, rows[r], view.y(r), view, look);
  if (look.chosen.order >= 0) drawLinks(g, plan, view, look);
  watermark(g, plan, view, look);
  nowLine(g, view, look);
  if (look.ghost) drawGhost(g, plan, view, look);
  g.restore();
  for (let r = first; r <= last; r++) drawLabel(g, plan, rows[r], view.y(r), view, look);
  if (view.row < LABEL_LEAST) groupNames(g, rows, first, last, view, look);
  drawAxis(g, plan, view, look);
  return count;
}

/** Rows too low for names of their own: the group's name beside its first ones. */
function groupNames(g, rows, first, last, view, look) {
  g.font = `600 ${0.72 * look.rem}px ${FONT}`;
  g.textBaseline = "top";
  g.textAlign = "left";
  g.fillStyle = look.c.soft;
  for (let r = first; r <= last; r++) {
    if (rows[r].kind === "head") g.fillText(cut(g, rows[r].label, view.gutter - look.rem), 0.75 * look.rem, view.y(r) + view.row + 1);
  }
}

function drawRow(g, plan, row, y, view, look) {
  g.fillStyle = look.c.line;
  if (view.row > 9) g.fillRect(view.gutter, Math.round(y + view.row) - 1, view.plot, 1);
  if (row.kind === "head") return 0;
  const pad = Math.max(view.row > 9 ? 1.5 : 0.5, view.row * 0.14);
  const box = { y: Math.round(y + pad), h: Math.max(1, Math.round(view.row - 2 * pad)) };
  g.font = `${Math.min(0.74 * look.rem, box.h * 0.72)}px ${FONT}`;
  g.textBaseline = "middle";
  g.textAlign = "left";
  const count = row.kind === "vehicle" ? drawMoves(g, plan, row, box, view, look) : row.kind === "order" ? drawOrder(g, plan, row, box, view, look) : drawBars(g, plan, row, box, view, look);
  g.globalAlpha = 1;
  for (const order of row.dues) drawDue(g, plan, order, box, view, look);
  return count;
}

function drawBars(g, plan, row, box, view, look) {
  let drawn = 0;
  let covered = -1;
  let before = view.gutter; // where the bar on the left ends: a set-up that is overdue does not lie over it
  for (let k = firstAfter(row, view.t0); k < row.bars.length; k++) {
    const i = row.bars[k];
    if (plan.from[i] - LONGEST_SETUP_S > view.end) break;
    const x = view.x(plan.from[i]);
    let to = plan.to[i];
    if (plan.state[i] === RUNNING && to < look.now) to = look.now;
    const x1 = view.x(to);
    if (x1 - covered < 0.7 && x1 - x < 0.7 && !marked(plan, i, look)) continue; // lies within a pixel that is painted already
    covered = x1;
    if (plan.setup[i] > 0 && plan.state[i] !== DONE) drawSetup(g, plan, i, Math.max(before, view.x(plan.from[i] - plan.setup[i])), x, box, view, look);
    before = x1;
    if (x > view.width) continue;
    drawBar(g, plan, i, x, x1, box, view, look, row);
    drawn++;
  }
  return drawn;
}

const marked = (plan, i, look) => plan.moved[i] || plan.order[i] === look.chosen.order || plan.isLate(i);

function drawSetup(g, plan, i, from, x, box, view, look) {
  if (x - from < 0.7) return;
  g.globalAlpha = dimmed(plan, i, look);
  g.fillStyle = look.c["set-up"];
  g.fillRect(from, Math.round(box.y + box.h * 0.3), x - from, Math.max(1, Math.round(box.h * 0.4)));
}

function dimmed(plan, i, look) {
  if (look.chosen.order < 0) return 1;
  const list = plan.members.get(i);
  return plan.order[i] === look.chosen.order || list?.some((k) => plan.order[k] === look.chosen.order) ? 1 : DIM;
}

/** One task, or one oven load; `x` to `x1` may reach far out of sight. */
function drawBar(g, plan, i, x, x1, box, view, look, row) {
  const c = look.c;
  const state = plan.state[i];
  const mine = look.chosen.order >= 0 && dimmed(plan, i, look) === 1;
  const left = Math.max(x, view.gutter - 6);
  const wide = Math.max(1, Math.min(x1, view.width + 6) - left - (x1 - x > 4 ? 1 : 0));
  g.globalAlpha = look.chosen.order >= 0 && !mine ? DIM : 1;
  const delayed = state === PLANNED && plan.start[i] < look.now;
  g.fillStyle = state === DONE ? c.past : state === RUNNING ? c["run-rest"] : mine ? c.now : delayed ? c.panel : c.plan;
  if (wide < ROUND_LEAST || (box.h < ROUND_LEAST && !delayed)) {
    g.fillRect(left, box.y, wide, box.h); // thousands of them may be in sight
  } else {
    shape(g, left, box.y, wide, box.h);
    g.fill();
    g.strokeStyle = state === DONE ? c["past-edge"] : c["plan-edge"];
    g.lineWidth = 1;
    if (delayed) g.setLineDash([3, 2]);
    g.stroke();
    if (delayed) g.setLineDash([]);
  }
  if (state === RUNNING) drawProgress(g, plan, i, x, x1, box, look, mine);
  if (state !== PLANNED && view.row > 14) drawBaseline(g, plan, i, box, view, look);
  frames(g, plan, i, left, wide, box, look, mine);
  if (wide >= TEXT_LEAST && box.h >= 9) drawText(g, plan, i, x, x1, box, view, look, row, mine && state === PLANNED);
}

/** Plan against actual: a line where the plan had a task that ran at another time. */
function drawBaseline(g, plan, i, box, view, look) {
  if (Math.abs(plan.from[i] - plan.start[i]) < 60 && Math.abs(plan.to[i] - plan.end[i]) < 60) return;
  const [x, x1] = [view.x(plan.start[i]), view.x(plan.end[i])];
  g.fillStyle = look.c.soft;
  g.fillRect(x, box.y + box.h + 1, Math.max(1, x1 - x), 1.5 * (look.rem / 16));
}

function drawProgress(g, plan, i, x, x1, box, look, mine) {
  const part = (x1 - x) * plan.progress(i, look.now);
  if (part < 1) return;
  g.fillStyle = mine ? look.c.now : look.c.run;
  g.fillRect(x, box.y, part, box.h);
}

function frames(g, plan, i, left, wide, box, look, mine) {
  const list = plan.members.get(i);
  const any = (test) => (list ? list.some(test) : test(i));
  const late = any((k) => plan.isLate(k));
  const moved = any((k) => plan.moved[k]);
  if (late || moved || (mine && plan.state[i] !== PLANNED)) {
    g.strokeStyle = late ? look.c.alarm : look.c.now;
    g.lineWidth = (wide > 4 ? 2 : 1) * (look.rem / 16);
    g.beginPath();
    if (wide >= ROUND_LEAST) g.roundRect(left, box.y, wide, box.h, Math.min(2.5, box.h * 0.25));
    else g.rect(left, box.y, wide, box.h);
    g.stroke();
  }
  if (i === look.chosen.task || list?.includes(look.chosen.task)) outline(g, left, wide, box, look.c.ink, []);
  if (i === look.cursor) outline(g, left, wide, box, look.c.now, [4, 3]);
  else if (i === look.hovered) outline(g, left, wide, box, look.c.soft, []);
  if (wide > 9 && any((k) => plan.pinned[k])) pin(g, left + wide - 4, box.y + 1, look);
}

function outline(g, left, wide, box, colour, dash) {
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  g.setLineDash(dash);
  g.strokeRect(left - 2, box.y - 2, wide + 4, box.h + 4);
  g.setLineDash([]);
}

/** A drawing pin: head and needle. */
function pin(g, x, y, look) {
  g.fillStyle = look.c.ink;
  g.strokeStyle = look.c.panel;
  g.lineWidth = 1;
  g.beginPath();
  g.arc(x, y + 1, 3, 0, 7);
  g.fill();
  g.stroke();
  g.fillRect(x - 0.5, y + 4, 1.2, 4);
}

function drawText(g, plan, i, x, x1, box, view, look, row, onNow) {
  const c = look.c;
  const at = Math.max(x, view.gutter) + 5;
  const list = plan.members.get(i);
  const room = Math.min(x1, view.width + 40) - at - (plan.pinned[i] ? 9 : 4);
  const text = row.kind === "lot" ? cut(g, `${operationName(plan.operation[i])} ${unitName(plan.units[plan.at[i]].id)}`, room) : nameOf(g, plan, i, list, room);
  if (!text) return;
  const y = box.y + box.h / 2 + 0.5;
  g.fillStyle = plan.state[i] === DONE ? c["past-ink"] : onNow ? c["on-now"] : c["plan-ink"];
  g.fillText(text, at, y);
  if (plan.state[i] !== RUNNING) return;
  const split = x + (x1 - x) * plan.progress(i, look.now);
  if (split <= at) return;
  g.save(); // the same text once more, light on the dark part
  g.beginPath();
  g.rect(x, box.y, split - x, box.h);
  g.clip();
  g.fillStyle = dimmed(plan, i, look) === 1 && look.chosen.order >= 0 ? c["on-now"] : c["run-ink"];
  g.fillText(text, at, y);
  g.restore();
}

/** The order's number, without what all of them begin with where the bar is short; of an oven load also how many lots. */
function nameOf(g, plan, i, load, room) {
  const { id } = plan.orders[plan.order[i]];
  if (load) return whole(g, `×${load.length} ${id}`, room) || whole(g, `×${load.length}`, room);
  return whole(g, id, room) || whole(g, id.replace(/^\D+/, ""), room);
}

const whole = (g, text, room) => (cut(g, text, room) === text ? text : "");

const operations = new Map();

/** What is done in an operation, in words. */
export function operationName(number) {
  if (!operations.size) for (const o of plant.operations ?? []) operations.set(o.number, o.name);
  const name = operations.get(number);
  return name ? name[document.getElementById("zs").dataset.language] : String(number);
}

/** An order folded up: from its first task to its last, done part dark, its name within. */
function drawOrder(g, plan, row, box, view, look) {
  const { tasks, order } = row;
  let [from, to, done, whole] = [Infinity, -Infinity, 0, 0];
  for (const i of tasks) {
    from = Math.min(from, plan.from[i]);
    to = Math.max(to, plan.to[i]);
    whole += plan.end[i] - plan.start[i];
    done += (plan.end[i] - plan.start[i]) * plan.progress(i, look.now);
  }
  if (to < view.t0 || from > view.end) return 0;
  const [x, x1] = [view.x(from), view.x(to)];
  const left = Math.max(x, view.gutter - 6);
  const wide = Math.min(x1, view.width + 6) - left;
  const mine = order === look.chosen.order;
  g.globalAlpha = look.chosen.order >= 0 && !mine ? DIM : 1;
  const inset = Math.round(box.h * 0.14);
  const bar = { y: box.y + inset, h: box.h - 2 * inset };
  g.fillStyle = done >= whole ? look.c.past : look.c.plan;
  shape(g, left, bar.y, Math.max(2, wide), bar.h);
  g.fill();
  g.fillStyle = look.c["run-rest"];
  const part = x + (x1 - x) * (done / Math.max(1, whole));
  if (done < whole && part > left) g.fillRect(left, bar.y, part - left, bar.h);
  g.strokeStyle = plan.orders[order].late_s > 0 ? look.c.alarm : mine ? look.c.now : look.c["plan-edge"];
  g.lineWidth = (plan.orders[order].late_s > 0 || mine ? 2 : 1) * (look.rem / 16);
  shape(g, left, bar.y, Math.max(2, wide), bar.h);
  g.stroke();
  const at = Math.max(x, view.gutter) + 6;
  const text = cut(g, `${row.note} · ${n((100 * done) / Math.max(1, whole))} %`, Math.min(x1, view.width) - at - 4);
  g.fillStyle = look.c["plan-ink"];
  if (text && box.h >= 9) g.fillText(text, at, box.y + box.h / 2 + 0.5);
  return 1;
}

function drawMoves(g, plan, row, box, view, look) {
  const { pickup, drop, order, lot, to } = plan.moves;
  let drawn = 0;
  for (let k = firstAfter(row, view.t0); k < row.bars.length; k++) {
    const i = row.bars[k];
    if (pickup[i] > view.end) break;
    const [x, x1] = [view.x(pickup[i]), view.x(drop[i])];
    const [left, wide] = [Math.max(x, view.gutter - 6), Math.max(1, x1 - Math.max(x, view.gutter - 6))];
    const mine = order[i] === look.chosen.order;
    g.globalAlpha = look.chosen.order >= 0 && !mine ? DIM : 1;
    const state = drop[i] < look.now ? DONE : pickup[i] < look.now ? RUNNING : PLANNED;
    g.fillStyle = mine && state !== DONE ? look.c.now : state === DONE ? look.c.past : state === RUNNING ? look.c["run-rest"] : look.c.plan;
    shape(g, left, box.y, wide, box.h);
    g.fill();
    g.strokeStyle = state === DONE ? look.c["past-edge"] : look.c["plan-edge"];
    g.lineWidth = 1;
    if (wide > 3) g.stroke();
    if (state === RUNNING) {
      g.fillStyle = look.c.run;
      g.fillRect(x, box.y, (x1 - x) * ((look.now - pickup[i]) / Math.max(1, drop[i] - pickup[i])), box.h);
    }
    const at = Math.max(x, view.gutter) + 4;
    const text = wide > 26 && box.h >= 9 ? cut(g, `${lot[i] > 0 ? lot[i] : plan.orders[order[i]].id} → ${unitName(plan.units[to[i]].id)}`, x1 - at - 3) : "";
    g.fillStyle = state === DONE ? look.c["past-ink"] : mine ? look.c["on-now"] : state === RUNNING ? look.c["run-ink"] : look.c["plan-ink"];
    if (text) g.fillText(text, at, box.y + box.h / 2 + 0.5);
    drawn++;
  }
  return drawn;
}

function drawDue(g, plan, order, box, view, look) {
  const { due, late_s: late } = plan.orders[order];
  if (due < view.t0 || due > view.end) return;
  if (look.chosen.order >= 0 && look.chosen.order !== order) g.globalAlpha = DIM;
  diamond(g, view.x(due), box.y + box.h / 2, Math.max(2.5, Math.min(box.h * 0.36, 0.4 * look.rem)));
  g.fillStyle = late > 0 ? look.c.alarm : look.c.panel;
  g.fill();
  g.strokeStyle = late > 0 ? look.c.alarm : look.c.soft;
  g.lineWidth = 1.3;
  g.stroke();
  g.globalAlpha = 1;
}

function shape(g, x, y, w, h) {
  g.beginPath();
  g.roundRect(x, y, w, h, Math.min(2.5, h * 0.25));
}

/** The frozen zone: from now to where tasks may move again. */
function shade(g, plan, view, look) {
  const [from, to] = [view.x(look.now), view.x(plan.frozenUntil)];
  if (to <= from || plan.frozenUntil <= look.now) return;
  g.fillStyle = look.c.shade;
  g.fillRect(from, view.axis, to - from, view.height);
}

function nowLine(g, view, look) {
  const x = Math.round(view.x(look.now));
  if (x < view.gutter || x > view.width) return;
  g.fillStyle = look.c.now;
  const wide = Math.round(look.rem / 8);
  g.fillRect(x - wide / 2, view.axis, wide, view.height);
}

/** What is not in force says so over the whole picture. */
function watermark(g, plan, view, look) {
  if (!plan.isWhatIf()) return;
  const text = t(plan.status === "scenario" ? "plan.watermark" : "plan.watermark-old");
  g.save();
  g.font = `700 ${3.4 * look.rem}px ${FONT}`;
  g.fillStyle = look.c.ink;
  g.globalAlpha = 0.085;
  g.textAlign = "center";
  const [stepX, stepY] = [26 * look.rem, 13 * look.rem];
  for (let y = view.axis + stepY * 0.5, line = 0; y < view.height + stepY; y += stepY, line++)
    for (let x = view.gutter + stepX * (line % 2 ? 0.15 : 0.6); x < view.width + stepX; x += stepX) {
      g.save();
      g.translate(x, y);
      g.rotate(-0.32);
      g.fillText(text, 0, 0);
      g.restore();
    }
  g.restore();
}

function drawLabel(g, plan, row, y, view, look) {
  const c = look.c;
  const high = view.row;
  g.save();
  g.beginPath();
  g.rect(0, view.axis, view.width, view.height);
  g.clip();
  if (row.kind === "head") {
    g.fillStyle = c.back;
    g.fillRect(0, Math.round(y), view.width, Math.round(high) - 1);
  } else {
    g.fillStyle = row.key === look.chosen.row ? c.raised : c.panel;
    g.fillRect(0, Math.round(y), view.gutter - 1, Math.round(high));
    g.fillStyle = c.line;
    if (high > 9) g.fillRect(0, Math.round(y + high) - 1, view.gutter, 1);
  }
  g.fillStyle = c.line;
  if (row.kind !== "head") g.fillRect(view.gutter - 1, Math.round(y), 1, high);
  if (high >= LABEL_LEAST) labelText(g, plan, row, y + high / 2 + 0.5, view, look);
  g.restore();
}

function labelText(g, plan, row, middle, view, look) {
  const c = look.c;
  const rem = look.rem;
  g.textBaseline = "middle";
  g.textAlign = "left";
  const left = 0.75 * rem;
  const size = Math.min(0.8 * rem, view.row * 0.62);
  if (row.kind === "head" || row.kind === "order") {
    const open = row.kind === "head" ? !row.folded : row.open;
    g.fillStyle = c.soft;
    g.font = `${size * 0.8}px ${FONT}`;
    g.fillText(open ? "▾" : "▸", left - 0.35 * rem, middle);
  }
  const indent = row.kind === "head" || row.kind === "order" ? 0.7 * rem : row.kind === "lot" ? 1.5 * rem : 0;
  const mark = row.kind === "unit" ? plan.units[row.unit].row : null;
  const down = mark && !(mark[5] & 1) && (mark[0] === 9 || mark[0] === 8);
  g.font = `${row.kind === "head" ? "600 " : ""}${size}px ${FONT}`;
  g.fillStyle = row.kind === "order" && plan.orders[row.order].late_s > 0 ? c["alarm-text"] : row.kind === "head" ? c.soft : c.ink;
  const room = (row.kind === "head" ? view.width * 0.5 : view.gutter) - left - indent - 0.4 * rem - (down ? 1 * rem : 0);
  const name = row.kind === "head" ? `${row.label}  ${row.note}` : row.kind === "lot" ? `${row.label} ${row.note}` : row.label;
  g.fillText(cut(g, name, room), left + indent, middle);
  if (!down) return;
  g.fillStyle = c.alarm;
  g.fillRect(view.gutter - 1.1 * rem, middle - 0.25 * rem, 0.5 * rem, 0.5 * rem);
}
