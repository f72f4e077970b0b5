/** The plan as a table: every task, sorted and filtered; only the rows in sight are elements, so ten thousand cost nothing. */

import { byId, h, mark, put } from "../dom.js";
import { productName, unitName } from "../plant.js";
import { n, stamp, t } from "../words.js";
import { operationName } from "./draw.js";
import { DONE, RUNNING } from "./plan.js";

const ROW_REM = 1.75;
const BEYOND = 8;

export class TaskTable {
  constructor(desk) {
    this.desk = desk;
    this.sort = { key: "start", down: false };
    this.order = [];
    this.body = h("tbody");
    this.above = h("tr", { "aria-hidden": "true" }, h("td", { colspan: 9 }));
    this.below = h("tr", { "aria-hidden": "true" }, h("td", { colspan: 9 }));
    const heads = COLUMNS.map(({ key, title }) => h("th", { scope: "col", "data-key": key }, h("button", { class: "d-sort", type: "button", text: t(title), onclick: () => this.by(key) })));
    this.table = h("table", { "aria-label": t("plan.table"), class: "d-table" }, h("thead", {}, h("tr", {}, ...heads)), this.body);
    this.scroll = byId("task-rows");
    this.scroll.replaceChildren(this.table);
    this.scroll.addEventListener("scroll", () => this.paint());
    byId("task-find").addEventListener("input", () => this.refresh());
    new ResizeObserver(() => this.paint()).observe(this.scroll);
  }

  by(key) {
    this.sort = { key, down: this.sort.key === key && !this.sort.down };
    this.refresh();
  }

  refresh() {
    const { plan } = this.desk;
    if (!plan || byId("drawer").hidden) return;
    const words = byId("task-find").value.trim().toLowerCase();
    const column = COLUMNS.find((c) => c.key === this.sort.key);
    const all = [];
    for (let i = 0; i < plan.size; i++) if (!words || textOf(plan, i).includes(words)) all.push(i);
    const value = new Map(all.map((i) => [i, column.value(plan, i)]));
    const sign = this.sort.down ? -1 : 1;
    all.sort((a, b) => sign * compare(value.get(a), value.get(b)) || plan.start[a] - plan.start[b]);
    this.order = all;
    for (const head of this.table.querySelectorAll("th")) mark(head, "aria-sort", head.dataset.key === this.sort.key ? (this.sort.down ? "descending" : "ascending") : null);
    put(byId("task-count"), t("plan.table-count", { n: n(all.length), all: n(plan.size) }));
    byId("task-csv").href = `/api/plan/${plan.version}/tasks.csv`;
    mark(this.table, "aria-rowcount", all.length + 1);
    this.scroll.scrollTop = 0;
    this.paint();
  }

  paint() {
    const { plan } = this.desk;
    if (!plan || byId("drawer").hidden) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const high = ROW_REM * rem;
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / high) - BEYOND);
    const last = Math.min(this.order.length, first + Math.ceil(this.scroll.clientHeight / high) + 2 * BEYOND);
    this.above.style.height = `${first * high}px`;
    this.below.style.height = `${(this.order.length - last) * high}px`;
    const rows = this.order.slice(first, last).map((i, k) => this.row(plan, i, first + k));
    this.body.replaceChildren(this.above, ...rows, this.below);
  }

  row(plan, i, at) {
    const open = () => this.desk.choose({ task: i, order: plan.order[i], go: true });
    const cells = COLUMNS.map((c) => h("td", { class: c.class, "data-mark": c.mark?.(plan, i), text: c.text(plan, i) }));
    const here = i === this.desk.gantt.look.chosen.task;
    return h("tr", { class: "link", tabindex: 0, "aria-rowindex": at + 2, "aria-selected": here ? "true" : null, onclick: open, onkeydown: (event) => event.key === "Enter" && open() }, ...cells);
  }
}

const compare = (a, b) => (typeof a === "number" ? (Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b) : a < b ? -1 : a > b ? 1 : 0);
const unit = (plan, i) => unitName(plan.units[plan.at[i]].id);
const order = (plan, i) => plan.orders[plan.order[i]].id;
const time = (plan, s) => (Number.isNaN(s) ? "–" : stamp(plan.ms(s)));
const stateOf = (plan, i) => t(plan.state[i] === DONE ? "plan.done" : plan.state[i] === RUNNING ? "plan.is-running" : "plan.planned");
const notes = (plan, i) => [plan.isLate(i) && `■ ${t("plan.late")}`, plan.moved[i] && t("plan.was-moved"), plan.pinned[i] && t("plan.is-pinned"), plan.frozen[i] && t("plan.is-frozen")].filter(Boolean).join(" · ");
const textOf = (plan, i) => `${order(plan, i)} ${plan.id[i]} ${unit(plan, i)} ${plan.units[plan.at[i]].id} ${productName(plan.product[i])} ${operationName(plan.operation[i])}`.toLowerCase();

const COLUMNS = [
  { key: "order", title: "orders.id", text: order, value: order },
  { key: "product", title: "orders.product", text: (p, i) => `${productName(p.product[i])}${p.lot[i] > 0 ? ` · ${p.lot[i]}` : ""}`, value: (p, i) => productName(p.product[i]) },
  { key: "operation", title: "plan.operation", text: (p, i) => operationName(p.operation[i]), value: (p, i) => p.operation[i] },
  { key: "unit", title: "table.device", text: unit, value: unit },
  { key: "start", title: "plan.start", class: "num", text: (p, i) => time(p, p.start[i]), value: (p, i) => p.start[i] },
  { key: "end", title: "plan.end", class: "num", text: (p, i) => time(p, p.end[i]), value: (p, i) => p.end[i] },
  { key: "actual", title: "plan.actual", class: "num", text: (p, i) => (Number.isNaN(p.began[i]) ? "–" : `${time(p, p.began[i]).slice(6)} – ${Number.isNaN(p.ended[i]) ? "" : time(p, p.ended[i]).slice(6)}`), value: (p, i) => p.began[i] },
  { key: "state", title: "table.state", text: stateOf, value: (p, i) => p.state[i] },
  { key: "notes", title: "plan.marks", text: notes, value: (p, i) => notes(p, i), mark: (p, i) => (p.isLate(i) ? "alarm" : null) },
];
