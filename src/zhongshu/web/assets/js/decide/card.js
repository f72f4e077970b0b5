/** The card of the task under the pointer or the keyboard: what, where, when planned, when really, what holds it. */

import { h, mark } from "../dom.js";
import { plant, productName, stateWord, unitName } from "../plant.js";
import { clock, lasting, moment, n, span, t } from "../words.js";
import { operationName } from "./draw.js";
import { DONE, RUNNING } from "./plan.js";

export class Card {
  constructor(gantt, place) {
    this.g = gantt;
    this.place = place;
    gantt.addEventListener("hover", (event) => this.point(event.detail));
    gantt.addEventListener("cursor", (event) => this.cursor(event.detail.task));
  }

  point({ spot, x, y }) {
    const lines = spot ? this.linesOf(spot) : null;
    this.place.hidden = !lines;
    if (!lines) return;
    this.fill(lines);
    this.put(x, y + 18);
  }

  cursor(i) {
    const { plan, look, view, canvas } = this.g;
    this.place.hidden = i < 0;
    if (i < 0) {
      mark(canvas, "aria-label", t("plan.chart"));
      return;
    }
    const lines = taskLines(plan, i, look.now);
    this.fill(lines);
    mark(canvas, "aria-label", lines.join(", "));
    this.put(view.x(plan.from[i]), view.y(look.rowOf.get(i) ?? 0) + view.row + 6);
  }

  linesOf({ row, task, move, label, closed }) {
    const { plan, look } = this.g;
    if (task >= 0) return taskLines(plan, task, look.now);
    if (move >= 0) return moveLines(plan, move);
    if (row?.kind === "unit" && label) return unitLines(plan, row, look.now);
    if (closed) return [t(`plan.closed-${closed[2]}`), row.label, range(plan, closed[0], closed[1])];
    if (row?.kind === "order") return orderLines(plan, row.order);
    return null;
  }

  fill(lines) {
    this.place.replaceChildren(h("b", { text: lines[0] }), ...lines.slice(1).filter(Boolean).map((line) => h("div", { "data-mark": line.startsWith("■") ? "alarm" : null, text: line })));
  }

  put(x, y) {
    const { offsetWidth: w, offsetHeight: high } = this.place;
    const { width, height } = this.g.view;
    const left = Math.min(Math.max(4, x + 10), width - w - 6);
    const top = y + high > height ? y - high - 30 : y;
    this.place.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(4, top))}px)`;
  }
}

const range = (plan, from, to) => `${moment(plan.ms(from), plan.ms(0))}:${clock(plan.ms(from)).slice(6)} – ${clock(plan.ms(to))}`;

/** A task in sentences, the first one its name. */
export function taskLines(plan, i, now) {
  const order = plan.orders[plan.order[i]];
  const load = plan.members.get(i);
  const flags = [plan.moved[i] && t("plan.was-moved"), plan.pinned[i] && t("plan.is-pinned"), plan.frozen[i] && t("plan.is-frozen")].filter(Boolean);
  const state = plan.state[i] === RUNNING ? t("plan.running", { n: Math.round(100 * plan.progress(i, now)) }) : t(plan.state[i] === DONE ? "plan.done" : "plan.planned");
  return [
    `${order.id} · ${operationName(plan.operation[i])}`,
    `${productName(plan.product[i])} · ${lotName(plan.lot[i])}`,
    unitName(plan.units[plan.at[i]].id),
    `${t("plan.plan")} ${range(plan, plan.start[i], plan.end[i])} (${lasting((plan.end[i] - plan.start[i]) * 1000)})`,
    Number.isNaN(plan.began[i]) ? "" : `${t("plan.actual")} ${Number.isNaN(plan.ended[i]) ? `${clock(plan.ms(plan.began[i]))} –` : range(plan, plan.began[i], plan.ended[i])}`,
    plan.state[i] !== DONE && plan.latest[i] - plan.start[i] >= 60 ? t("plan.slack", { time: lasting((plan.latest[i] - plan.start[i]) * 1000) }) : "",
    plan.setup[i] ? t("plan.setup-of", { time: lasting(plan.setup[i] * 1000) }) : "",
    load ? t("plan.load", { n: load.length, orders: [...new Set(load.map((k) => plan.orders[plan.order[k]].id))].join(", ") }) : "",
    [state, ...flags].join(" · "),
    dueLine(plan, order),
  ];
}

function dueLine(plan, order) {
  if (!Number.isFinite(order.due)) return "";
  const due = t("plan.due-at", { time: moment(plan.ms(order.due), plan.ms(0)) });
  return order.late_s > 0 ? `■ ${due} · ${t("orders.late", { time: span(order.late_s * 1000) })}` : due;
}

/** A lot of an order that was not released yet has no number of its own. */
export const lotName = (lot) => (lot > 0 ? t("unit.lot", { lot }) : t("plan.lot-later"));

function moveLines(plan, k) {
  const { lot, order, vehicle, from, to, pickup, drop } = plan.moves;
  return [
    `${unitName(plan.vehicles[vehicle[k]])} · ${lotName(lot[k])}`,
    t("command.from-to", { from: from[k] < 0 ? "–" : unitName(plan.units[from[k]].id), to: unitName(plan.units[to[k]].id) }),
    range(plan, pickup[k], drop[k]),
    plan.orders[order[k]].id,
  ];
}

function unitLines(plan, row, now) {
  const ahead = [...row.bars].filter((i) => plan.to[i] > now && plan.from[i] < now + 28800);
  const busy = ahead.reduce((sum, i) => sum + Math.min(plan.to[i], now + 28800) - Math.max(plan.from[i], now), 0);
  const live = plan.units[row.unit].row;
  return [row.label, live ? stateWord(live) : t("state.absent"), t("plan.ahead", { n: n(ahead.length), share: Math.round((100 * busy) / 28800) }), closedLine(plan, row, now)];
}

function closedLine(plan, row, now) {
  const next = row.closed.find(([, to, kind]) => to > now && kind !== "overtime");
  return next ? `${t(`plan.closed-${next[2]}`)} ${range(plan, next[0], next[1])}` : "";
}

function orderLines(plan, k) {
  const order = plan.orders[k];
  const tasks = plan.ofOrder.get(k);
  const done = tasks.filter((i) => plan.state[i] === DONE).length;
  const end = Number.isFinite(order.end) ? `${t("plan.end")} ${moment(plan.ms(order.end), plan.ms(0))}` : "";
  return [`${order.id} · ${productName(order.product)}${order.quantity ? ` × ${order.quantity}` : ""}`, t("plan.steps-done", { n: done, all: tasks.length }), end, dueLine(plan, order)];
}

/** The unit's own page. */
export const deviceLink = (id) => (plant.indexOf.has(id) ? `/device/${encodeURIComponent(id)}` : null);
