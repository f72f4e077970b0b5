/** Thin lines along a chosen order: from each task to the next of its lot; and the ghost of a task that is being dragged. */

import { clock, t } from "../words.js";
import { FONT } from "./paint.js";
import { firstAfter } from "./rows.js";

const MOST = 400;
const SIGNS = { ok: "✓", warn: "▲", no: "✕" };

/** Where tasks lie: index → row number; made once a set of rows. */
export function rowOfTask(plan, rows) {
  const found = new Map();
  rows.forEach((row, r) => {
    if (row.kind === "vehicle") return;
    for (const i of row.bars) for (const k of plan.members.get(i) ?? [i]) found.set(k, r);
  });
  return found;
}

export function drawLinks(g, plan, view, look) {
  if (look.by === "vehicle") return;
  g.strokeStyle = look.c.now;
  g.globalAlpha = 0.75;
  g.lineWidth = 1;
  let drawn = 0;
  const lots = new Set(plan.ofOrder.get(look.chosen.order).map((i) => plan.lot[i]));
  for (const lot of lots) {
    const list = plan.ofLot.get(lot);
    for (let k = 1; k < list.length && drawn < MOST; k++) drawn += link(g, plan, list[k - 1], list[k], view, look);
  }
  g.globalAlpha = 1;
}

function link(g, plan, a, b, view, look) {
  const [ra, rb] = [look.rowOf.get(a), look.rowOf.get(b)];
  if (ra === undefined || rb === undefined) return 0;
  const [x0, x1] = [view.x(plan.to[a]), view.x(plan.from[b])];
  const [y0, y1] = [view.y(ra) + view.row / 2, view.y(rb) + view.row / 2];
  if (Math.max(x0, x1) < view.gutter || Math.min(x0, x1) > view.width || Math.max(y0, y1) < 0 || Math.min(y0, y1) > view.height) return 0;
  const bend = Math.max(10, Math.min(60, Math.abs(x1 - x0) * 0.5));
  g.beginPath();
  g.moveTo(x0, y0);
  g.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1 - 3, y1);
  g.stroke();
  g.beginPath();
  g.moveTo(x1, y1);
  g.lineTo(x1 - 5, y1 - 3);
  g.lineTo(x1 - 5, y1 + 3);
  g.fillStyle = look.c.now;
  g.fill();
  return 1;
}

/** The dragged task where it would go, with what can be said at once: fits, pushes others, or cannot be. */
export function drawGhost(g, plan, view, look) {
  const { task, start, row, verdict } = look.ghost;
  const lasts = plan.end[task] - plan.start[task];
  const [x, x1] = [view.x(start), view.x(start + lasts)];
  const y = view.y(row) + 3;
  const h = view.row - 6;
  const colour = verdict.level === "no" ? look.c.alarm : verdict.level === "warn" ? look.c.minor : look.c.now;
  g.globalAlpha = 0.28;
  g.fillStyle = colour;
  g.fillRect(x, y, x1 - x, h);
  g.globalAlpha = 1;
  g.strokeStyle = colour;
  g.lineWidth = 2;
  g.setLineDash(verdict.level === "no" ? [4, 3] : []);
  g.strokeRect(x, y, x1 - x, h);
  g.setLineDash([]);
  const said = verdict.reasons[0] ?? t("plan.fits");
  plate(g, `${SIGNS[verdict.level]} ${clock(look.originMs + start * 1000).slice(0, 5)} · ${said}`, x, y, view, look, colour);
}

function plate(g, text, x, y, view, look, colour) {
  g.font = `600 ${0.78 * look.rem}px ${FONT}`;
  const w = g.measureText(text).width + look.rem;
  const h = 1.5 * look.rem;
  const left = Math.min(Math.max(x, view.gutter + 2), view.width - w - 4);
  const top = y - h - 4 < view.axis ? y + view.row : y - h - 4;
  g.fillStyle = look.c.raised;
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  g.beginPath();
  g.roundRect(left, top, w, h, 3);
  g.fill();
  g.stroke();
  g.fillStyle = look.c.ink;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(text, left + 0.5 * look.rem, top + h / 2 + 0.5);
}

/** The bar (first of its load) of a row under a moment, or -1; `slack` seconds make narrow bars easier to hit. */
export function barAt(row, from, to, seconds, slack) {
  for (let k = firstAfter(row, seconds - slack); k < row.bars.length; k++) {
    const i = row.bars[k];
    if (from[i] - slack > seconds) return -1;
    if (to[i] + slack >= seconds) return i;
  }
  return -1;
}
