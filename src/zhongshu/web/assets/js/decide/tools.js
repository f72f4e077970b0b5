/** The bar above the chart: grouping, area, search, zoom, table; and the address of the page, which holds all of it. */

import { byId, h, mark } from "../dom.js";
import { areaName, plant } from "../plant.js";
import { t } from "../words.js";
import { SPANS } from "./view.js";

const WAYS = ["unit", "order", "vehicle"];

export class Tools {
  constructor(desk) {
    this.desk = desk;
    const { gantt } = desk;
    for (const button of document.querySelectorAll("[data-by]")) button.onclick = () => this.by(button.dataset.by);
    for (const button of document.querySelectorAll("[data-span]")) button.onclick = () => gantt.toNow(SPANS[button.dataset.span]);
    byId("area").append(h("option", { value: "", text: t("plan.all-areas") }), ...plant.areas.map((area) => h("option", { value: area.id, text: areaName(area.id) })));
    byId("area").onchange = () => this.narrow({ area: byId("area").value });
    byId("find").oninput = () => this.typed();
    byId("find").onkeydown = (event) => event.key === "Enter" && this.found(true);
    byId("zoom-in").onclick = () => gantt.zoom(1 / 1.5);
    byId("zoom-out").onclick = () => gantt.zoom(1.5);
    byId("to-now").onclick = () => gantt.toNow();
    byId("denser").onclick = () => gantt.denser();
    byId("as-table").onclick = () => this.drawer(byId("drawer").hidden);
  }

  by(way) {
    this.desk.gantt.how.by = way;
    this.desk.gantt.view.top = 0;
    this.desk.gantt.arrange();
    const { task, order } = this.desk.chosenNow;
    if (order >= 0) this.desk.gantt.reveal(task >= 0 ? task : this.desk.firstOpen(order));
    this.desk.phone.show();
    this.desk.remember();
  }

  narrow(what) {
    Object.assign(this.desk.gantt.how, what);
    this.desk.gantt.view.top = 0;
    this.desk.gantt.arrange();
    this.desk.phone.show();
    this.desk.remember();
  }

  /** Rows of one order's units alone, with the order in sight; all rows where it is empty. */
  only(order) {
    const { desk } = this;
    this.narrow({ only: order, by: "unit" });
    desk.choose({ ...desk.chosenNow, go: true });
  }

  /** A whole order number goes there; anything else narrows the rows. */
  typed() {
    if (!this.found(false)) this.narrow({ text: byId("find").value.trim().toLowerCase() });
  }

  found(forced) {
    const { plan } = this.desk;
    const words = byId("find").value.trim().toLowerCase();
    if (!plan || !words) return false;
    let order = plan.orders.findIndex((o) => o.id.toLowerCase() === words);
    if (order < 0 && forced) order = plan.orders.findIndex((o) => o.id.toLowerCase().includes(words));
    if (order < 0) return false;
    if (this.desk.gantt.how.text || this.desk.gantt.how.only) this.narrow({ text: "", only: "" });
    this.desk.choose({ order, go: true });
    return true;
  }

  orders(plan) {
    byId("order-list").replaceChildren(...plan.orders.map((o) => h("option", { value: o.id })));
  }

  drawer(open) {
    byId("drawer").hidden = !open;
    mark(byId("as-table"), "aria-pressed", String(open));
    this.desk.table.refresh();
    this.desk.remember();
  }

  /** Buttons as the view is now. */
  mark() {
    const { gantt } = this.desk;
    for (const button of document.querySelectorAll("[data-by]")) mark(button, "aria-pressed", String(button.dataset.by === gantt.how.by));
    for (const button of document.querySelectorAll("[data-span]")) mark(button, "aria-current", Math.abs(gantt.view.span - SPANS[button.dataset.span]) < 1 ? "true" : null);
    const { from, to } = { from: gantt.view.t0, to: gantt.view.end };
    mark(byId("to-now"), "data-away", gantt.plan && (gantt.look.now < from || gantt.look.now > to) ? "1" : null);
  }

  fromAddress() {
    const asked = new URL(location.href).searchParams;
    const { how } = this.desk.gantt;
    if (WAYS.includes(asked.get("by"))) how.by = asked.get("by");
    else if (this.desk.phone.small.matches) how.by = "order"; // a small screen begins with what is late
    if (plant.areaOf.has(asked.get("area"))) how.area = byId("area").value = asked.get("area");
    const version = Number(asked.get("plan"));
    this.wanted = Number.isInteger(version) && version > 0 ? version : "live";
    this.asked = asked;
    if (asked.get("table")) this.drawer(true);
  }

  /** What can only be found once the plan is there: order, unit, time. */
  afterLoad() {
    const { plan, gantt } = this.desk;
    const asked = this.asked;
    this.asked = null;
    if (!plan) return;
    const span = Number(asked.get("span"));
    const at = Number(asked.get("at"));
    if (span > 0) gantt.view.show(gantt.now(), span);
    const order = plan.orderIndex.get(asked.get("order")) ?? -1;
    const task = plan.indexOf.get(asked.get("task")) ?? -1;
    const unit = plan.unitIndex.get(asked.get("unit")) ?? -1;
    if (order >= 0 || task >= 0) this.desk.choose({ order: task >= 0 ? plan.order[task] : order, task, go: !at });
    else if (unit >= 0) {
      this.desk.choose({ unit, row: plan.units[unit].id });
      gantt.view.reveal(gantt.rows.findIndex((row) => row.unit === unit), gantt.now(), gantt.now());
    }
    if (at > 0) gantt.view.t0 = plan.seconds(at);
    gantt.moved();
  }

  toAddress() {
    const { gantt, plan, wanted, chosenNow: chosen } = this.desk;
    if (!plan || this.asked) return;
    const said = new URLSearchParams();
    if (gantt.how.by !== "unit") said.set("by", gantt.how.by);
    if (gantt.how.area) said.set("area", gantt.how.area);
    if (wanted !== "live") said.set("plan", wanted);
    if (chosen.order >= 0) said.set("order", plan.orders[chosen.order].id);
    if (chosen.task >= 0) said.set("task", plan.id[chosen.task]);
    if (chosen.unit >= 0) said.set("unit", plan.units[chosen.unit].id);
    if (!byId("drawer").hidden) said.set("table", "1");
    if (Math.abs(gantt.view.span - SPANS.shift) > 1) said.set("span", Math.round(gantt.view.span));
    const usual = Math.abs(gantt.view.t0 - (gantt.look.now - gantt.view.span * 0.28)) < gantt.view.span * 0.05;
    if (!usual) said.set("at", Math.round(plan.ms(gantt.view.t0)));
    history.replaceState(null, "", said.size ? `?${said}` : location.pathname);
  }
}
