/** What was chosen: an order and why it is late, what would save it, what may be done with a task or a unit; else the late orders. */

import { byId, h, put } from "../dom.js";
import { productName, unitName } from "../plant.js";
import { moment, n, span, t } from "../words.js";
import { ask, said } from "./ask.js";
import { deviceLink, taskLines } from "./card.js";
import { operationName } from "./draw.js";
import { PLANNED } from "./plan.js";

const LATE_SHOWN = 8;

export class Chosen {
  constructor(desk) {
    this.desk = desk;
    this.asked = 0;
    this.told = new Map(); // answers to why, by version and order
  }

  show({ task, order, unit }) {
    this.asked++;
    if (order >= 0) this.order(order, task);
    else if (unit >= 0) this.unit(unit);
    else this.none();
  }

  heads(title, note) {
    put(byId("chosen-title"), title);
    put(byId("chosen-note"), note);
  }

  none() {
    const { plan } = this.desk;
    const late = plan.orders.map((o, k) => [o, k]).filter(([o]) => o.late_s > 0).sort((a, b) => b[0].late_s * b[0].weight - a[0].late_s * a[0].weight);
    this.heads(t("chosen.late"), t("chosen.late-of", { n: n(late.length), all: n(plan.orders.length) }));
    if (!late.length) return byId("chosen").replaceChildren(h("p", { class: "none", text: t("chosen.none-late") }), h("p", { class: "note d-hint", text: t("plan.hint") }));
    const rows = late.slice(0, LATE_SHOWN).map(([o, k]) =>
      h("tr", { class: "link", onclick: () => this.desk.choose({ order: k, go: true }) },
        h("td", {}, h("button", { class: "d-link", type: "button", text: o.id })),
        h("td", { class: "name", text: productName(o.product) }),
        h("td", { class: "num", text: moment(plan.ms(o.due), plan.ms(0)) }),
        h("td", { class: "num", "data-mark": "alarm", text: `■ ${span(o.late_s * 1000)}` })));
    const more = late.length > LATE_SHOWN ? h("p", { class: "note", text: t("orders.more", { n: n(late.length - LATE_SHOWN) }) }) : "";
    return byId("chosen").replaceChildren(h("table", { "aria-label": t("chosen.late") }, h("thead", {}, h("tr", {}, ...["orders.id", "orders.product", "orders.due", "chosen.by"].map((key, k) => h("th", { scope: "col", class: k > 1 ? "num" : null, text: t(key) })))), h("tbody", {}, ...rows)), more, h("p", { class: "note d-hint", text: t("plan.hint") }));
  }

  order(k, task) {
    const { plan } = this.desk;
    const order = plan.orders[k];
    const late = order.late_s > 0;
    this.heads(late ? t("chosen.why", { order: order.id, time: span(order.late_s * 1000) }) : Number.isFinite(order.due) ? t("chosen.on-time", { order: order.id }) : order.id, order.quantity ? `${productName(order.product)} × ${n(order.quantity)}` : productName(order.product));
    const tools = task >= 0 ? this.tools(task) : null;
    const why = h("div", { id: "why" });
    byId("chosen").replaceChildren(late ? "" : this.summary(k), why, this.only(order.id), ...(tools ? [tools] : []));
    if (late) this.why(order, why);
  }

  /** Only the units that this order runs on, or all again. */
  only(id) {
    const { how } = this.desk.gantt;
    const on = how.only === id;
    const act = () => this.desk.tools.only(on ? "" : id);
    return h("div", { class: "d-buttons" }, h("button", { class: "plain", type: "button", "aria-pressed": String(on), text: t("chosen.only"), onclick: act }), h("a", { class: "more", href: `/orders?${new URLSearchParams({ order: id })}`, text: `${t("chosen.book")} →` }));
  }

  summary(k) {
    const { plan } = this.desk;
    const order = plan.orders[k];
    const tasks = plan.ofOrder.get(k) ?? [];
    const done = tasks.filter((i) => plan.state[i] === 2).length;
    const open = Number.isFinite(order.due);
    const lines = [
      ...(open ? [["plan.end", moment(plan.ms(order.end), plan.ms(0))], ["orders.due", `${moment(plan.ms(order.due), plan.ms(0))} · ${t("orders.left", { time: span((order.due - order.end) * 1000) })}`]] : []),
      ["orders.done", t("plan.steps-done", { n: n(done), all: n(tasks.length) })],
    ];
    return h("table", { class: "d-pairs" }, h("tbody", {}, ...lines.map(([key, text]) => h("tr", {}, h("th", { scope: "row", text: t(key) }), h("td", { text })))));
  }

  async why(order, place) {
    const mine = ++this.asked;
    const key = `${this.desk.plan.version}/${order.id}`;
    place.replaceChildren(h("p", { class: "note d-wait", role: "status" }, h("span", { class: "d-spin", "aria-hidden": "true" }), t("chosen.asking")));
    try {
      if (!this.told.has(key)) this.told.set(key, await ask({ what: "why", order: order.id }));
      if (mine === this.asked) this.because(this.told.get(key), place);
    } catch (error) {
      if (mine !== this.asked) return;
      const again = h("button", { class: "plain", type: "button", text: t("chosen.again"), onclick: () => this.why(order, place) });
      place.replaceChildren(h("p", { class: "none", "data-mark": "warn", text: `▲ ${error.message}` }), again);
    }
  }

  because({ chain, unlock, vain, verified }, place) {
    const { plan } = this.desk;
    const steps = chain.map((step) => {
      const i = plan.indexOf.get(step.task) ?? -1;
      return h("li", {}, h("button", { class: "d-link", type: "button", text: said(step.text), disabled: i < 0, onclick: () => this.desk.choose({ task: i, order: plan.order[i], go: true }) }));
    });
    const rows = unlock.map((way) =>
      h("tr", {},
        h("td", { text: said(way.text) }),
        h("td", { class: "num" }, h(way.late_s > 0 ? "span" : "b", { text: moment(way.end_ns / 1e6, plan.ms(0)) })),
        h("td", { class: "num", text: said(way.cost) }),
        h("td", { class: "num" }, h("button", { class: "plain", type: "button", text: t("edit.try-short"), onclick: () => this.desk.edits.propose([way.edit], said(way.text)) }))));
    const heads = ["chosen.way", "chosen.then", "chosen.cost", ""].map((key, k) => h("th", { scope: "col", class: k ? "num" : null, text: key ? t(key) : "" }));
    place.replaceChildren(
      h("ol", { class: "d-chain" }, ...steps),
      plan.isWhatIf() ? h("p", { class: "note", text: t("chosen.of-live") }) : "",
      h("header", {}, h("h2", { text: t("chosen.unlock") }), h("span", { class: "note", text: verified ? t("chosen.verified") : "" })),
      rows.length ? h("table", { class: "d-ways" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)) : h("p", { class: "none", text: t("chosen.no-way") }),
      vain?.length ? h("p", { class: "note", text: t("chosen.vain", { ways: vain.map(said).join(t("chosen.and")) }) }) : "",
    );
  }

  tools(i) {
    const { plan, edits, gantt } = this.desk;
    const id = plan.units[plan.at[i]].id;
    const open = plan.state[i] === PLANNED;
    const free = plan.isFree(i, gantt.now());
    const button = (key, act, on = true) => h("button", { class: "plain", type: "button", text: t(key), disabled: !on || !gantt.editable, onclick: act });
    return h("div", { class: "d-tools" },
      h("h3", { text: `${operationName(plan.operation[i])} · ${unitName(id)}` }),
      ...taskLines(plan, i, gantt.now()).slice(3, -1).filter(Boolean).map((line) => h("p", { class: "note", text: line })),
      h("div", { class: "d-buttons" },
        button(plan.pinned[i] ? "edit.unpin-it" : "edit.pin-it", () => edits.pin(i), open),
        button("edit.move-it", () => edits.move(i), free),
        button("edit.split-it", () => edits.split(i), free)),
      this.unitTools(id, button));
  }

  unitTools(id, button) {
    const link = deviceLink(id);
    return h("div", { class: "d-buttons" },
      button("edit.exclude-it", () => this.desk.edits.unit("exclude", id)),
      button("edit.overtime-it", () => this.desk.edits.unit("overtime", id)),
      link ? h("a", { class: "more", href: link, text: `${t("chosen.device")} →` }) : "");
  }

  unit(u) {
    const { plan, gantt } = this.desk;
    const id = plan.units[u].id;
    const now = gantt.now();
    this.heads(unitName(id), t("chosen.unit"));
    const closed = plan.units[u].closed.filter(([, to]) => to > now).slice(0, 6).map(([from, to, kind]) => h("tr", {}, h("th", { scope: "row", text: t(`plan.closed-${kind}`) }), h("td", { text: `${moment(plan.ms(from), plan.ms(0))} – ${moment(plan.ms(to), plan.ms(0))}` })));
    const button = (key, act) => h("button", { class: "plain", type: "button", text: t(key), disabled: !gantt.editable, onclick: act });
    byId("chosen").replaceChildren(h("table", { class: "d-pairs" }, h("tbody", {}, ...closed)), this.unitTools(id, button));
  }
}
