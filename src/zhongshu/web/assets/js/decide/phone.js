/** The plan on a small screen: orders or units as a list, what is late first, instead of a chart that nobody could read. */

import { byId, h, mark, put } from "../dom.js";
import { areaName, plant, productName, unitName } from "../plant.js";
import { clock, moment, n, span, t } from "../words.js";
import { operationName } from "./draw.js";
import { DONE, PLANNED, RUNNING } from "./plan.js";
import { ordersByNeed } from "./rows.js";

const PAGE = 12;
const NEXT = 2;

export class Phone {
  constructor(desk) {
    this.desk = desk;
    this.most = PAGE;
    this.small = matchMedia("(max-width: 40rem)");
    this.small.addEventListener("change", () => this.show());
    this.list = byId("phone");
  }

  show() {
    const { plan, gantt } = this.desk;
    if (!plan || !this.small.matches) return;
    const rows = gantt.how.by === "unit" ? this.units() : gantt.how.by === "vehicle" ? this.vehicles() : this.orders();
    const more = rows.length > this.most ? h("button", { class: "plain", type: "button", text: t("orders.more", { n: n(rows.length - this.most) }), onclick: () => this.further() }) : "";
    this.list.replaceChildren(...rows.slice(0, this.most).map((make) => make()), more);
    mark(this.list, "data-count", rows.length);
  }

  further() {
    this.most += PAGE;
    this.show();
  }

  orders() {
    const { plan, gantt } = this.desk;
    const fits = (o) => !gantt.how.text || `${o.id} ${productName(o.product)}`.toLowerCase().includes(gantt.how.text);
    return ordersByNeed(plan).filter((k) => Number.isFinite(plan.orders[k].due) && fits(plan.orders[k])).map((k) => () => this.order(k));
  }

  order(k) {
    const { plan } = this.desk;
    const order = plan.orders[k];
    const tasks = plan.ofOrder.get(k);
    const share = tasks.filter((i) => plan.state[i] === DONE).length / tasks.length;
    const late = order.late_s > 0;
    return h("button", { class: "d-item", type: "button", onclick: () => this.open({ order: k }) },
      h("b", { text: order.id }), h("span", { text: `${productName(order.product)} × ${n(order.quantity)}` }),
      h("span", { class: "num", "data-mark": late ? "alarm" : null, text: late ? `■ ${t("orders.late", { time: span(order.late_s * 1000) })}` : moment(plan.ms(order.due), plan.ms(0)) }),
      h("span", { class: "bar" }, h("i", { style: `width:${Math.round(share * 100)}%` })));
  }

  units() {
    const { plan, gantt } = this.desk;
    const rows = gantt.rows.filter((row) => row.kind === "unit");
    return rows.map((row) => () => this.unit(plan, row, gantt.now()));
  }

  unit(plan, row, now) {
    const ahead = [...row.bars].filter((i) => plan.state[i] !== DONE && plan.to[i] > now - 600);
    const running = ahead.find((i) => plan.state[i] === RUNNING);
    const next = ahead.filter((i) => plan.state[i] === PLANNED).slice(0, NEXT);
    const words = next.map((i) => `${clock(plan.ms(plan.start[i])).slice(0, 5)} ${plan.orders[plan.order[i]].id}`).join(" · ");
    const area = plant.units[plant.indexOf.get(row.key)]?.area;
    return h("button", { class: "d-item", type: "button", onclick: () => this.open({ unit: row.unit, row: row.key }) },
      h("b", { text: row.label }), h("span", { text: running !== undefined ? `${plan.orders[plan.order[running]].id} ${operationName(plan.operation[running])} ${Math.round(100 * plan.progress(running, now))} %` : areaName(area) }),
      h("span", { class: "d-next", text: words || t("phone.nothing") }));
  }

  vehicles() {
    const { plan, gantt } = this.desk;
    const now = gantt.now();
    const { pickup, drop, lot, to } = plan.moves;
    return gantt.rows.filter((row) => row.kind === "vehicle").map((row) => () => {
      const next = [...row.bars].filter((k) => drop[k] > now).slice(0, NEXT + 1);
      return h("div", { class: "d-item" }, h("b", { text: row.label }), h("span", { class: "d-next", text: next.map((k) => `${clock(plan.ms(pickup[k])).slice(0, 5)} ${lot[k]} → ${unitName(plan.units[to[k]].id)}`).join(" · ") || t("phone.nothing") }));
    });
  }

  open(what) {
    this.desk.choose(what);
    put(byId("plan-said"), byId("chosen-title").textContent);
    byId("chosen-title").scrollIntoView({ block: "center" });
  }
}
