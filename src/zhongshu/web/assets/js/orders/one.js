/** One order: its terms, what may be done with it, its lots, and who changed what. */

import { byId, h } from "../dom.js";
import { inquire, personField } from "../decide/dialog.js";
import { productName } from "../plant.js";
import { moment, n, span, t } from "../words.js";
import { now } from "./book.js";
import { line } from "./journal.js";
import { actions, piecesText, statusText, whereText } from "./lots.js";
import { attempt } from "./said.js";
import { call, inputTime, pathOf } from "./wire.js";

export class One {
  constructor(after) {
    this.place = byId("one");
    this.after = after;
    this.order = "";
    this.told = "";
    this.nothing();
  }

  nothing() {
    this.told = "";
    this.place.replaceChildren(h("p", { class: "none", text: t("book.choose") }));
  }

  open(order) {
    this.order = order;
    this.told = "";
    return this.load();
  }

  async load() {
    if (!this.order) return;
    const order = this.order;
    let found;
    let past;
    try {
      [found, past] = await Promise.all([call("GET", pathOf(order)), call("GET", `/api/corrections?${new URLSearchParams({ subject: `order:${order}`, limit: 20 })}`)]);
    } catch (error) {
      if (error.status === 404) this.nothing();
      return;
    }
    const told = JSON.stringify([found, past]);
    if (order !== this.order || told === this.told) return; // whoever points at a button shall not lose it
    this.told = told;
    this.show(found, past.corrections);
  }

  show(order, past) {
    const pair = (key, text, marked) => h("div", { class: "pair" }, h("span", { text: t(key) }), h("b", { text, "data-mark": marked }));
    const isLate = order.late_s > 0;
    const close = h("button", { type: "button", class: "plain o-close", text: "×", "aria-label": t("dialog.close") });
    close.onclick = () => {
      this.order = "";
      this.nothing();
      this.after("closed");
    };
    this.place.replaceChildren(
      h("header", {}, h("h2", { text: order.id }), h("span", { class: "note", text: t(`book.status-${order.status}`) }), close),
      h("div", { class: "head o-terms" },
        pair("orders.product", productName(order.product)), pair("book.quantity", t("book.done-of", { done: n(order.done), quantity: n(order.quantity), pct: n(100 * order.progress) })),
        pair("orders.due", moment(order.due_ms, now())), pair("book.end", order.end_ms ? moment(order.end_ms, now()) : "–"),
        pair("book.late", isLate ? `■ ${span(order.late_s * 1000)}` : t("book.on-time"), isLate ? "alarm" : null),
        pair("book.priority", n(order.priority)), pair("lot.scrap", n(order.scrapped)), pair("book.by", order.created_by || "–"),
      ),
      this.buttons(order),
      h("h3", { text: t("book.lots", { n: n(order.lots.length) }) }),
      order.lots.length ? this.lots(order.lots) : h("p", { class: "none", text: t("book.no-lots") }),
      h("h3", { text: t("book.changes") }),
      past.length ? h("ul", { class: "o-past" }, ...past.map((c) => h("li", {}, line(c)))) : h("p", { class: "none", text: t("book.no-changes") }),
    );
  }

  buttons(order) {
    const give = (key, deed, danger) => {
      const button = h("button", { type: "button", class: "plain", text: t(key), "data-danger": danger });
      button.onclick = () => deed(order);
      return button;
    };
    if (!["received", "released", "held"].includes(order.status)) return h("p", { class: "note", text: t(`book.hint-${order.status}`) });
    const held = order.status === "held";
    return h("div", { class: "d-buttons" },
      give("book.change", (o) => this.change(o)), give(held ? "lot.release" : "lot.hold", (o) => this.hold(o, !held)),
      give("book.cancel", (o) => this.cancel(o), true),
      h("a", { class: "plain", href: `/decide?${new URLSearchParams({ order: order.id })}`, text: t("book.in-plan") }),
    );
  }

  lots(lots) {
    const row = (lot) => h("tr", {},
      h("td", { class: "num", text: lot.lot }),
      h("td", {}, h("div", { text: productName(lot.product) }), h("div", { class: "why", text: `${statusText(lot)} · ${whereText(lot)}` })),
      h("td", { class: "num" }, h("div", { text: piecesText(lot) }), h("div", { class: "why", text: t("lot.step", { step: lot.step, steps: lot.steps }) })),
      h("td", {}, actions(lot, () => this.after())));
    const sorted = [...lots].sort((a, b) => (b.status === "held") - (a.status === "held") || a.lot - b.lot);
    const head = h("tr", {}, ...["table.lot", "lot.what", "lot.count-head", "lot.do"].map((key, i) => h("th", { scope: "col", class: i % 2 ? null : "num", text: t(key) })));
    return h("div", { class: "scroll o-lots" }, h("table", { "aria-label": t("book.lots", { n: lots.length }) }, h("thead", {}, head), h("tbody", {}, ...sorted.map(row))));
  }

  async change(order) {
    const said = await inquire({
      title: t("book.change-title", { order: order.id }),
      fields: [
        { name: "due", type: "datetime-local", label: t("orders.due"), value: inputTime(order.due_ms) },
        { name: "quantity", type: "number", label: t("book.quantity"), value: order.quantity, min: 1, max: 100000 },
        { name: "priority", type: "number", label: t("book.priority"), value: order.priority, min: 0, max: 9 },
        { name: "note", label: t("book.note"), required: false }, personField(),
      ],
      confirm: t("book.change"),
    });
    if (!said) return;
    const body = { by: said.person, note: said.note };
    if (said.due !== inputTime(order.due_ms)) body.due = said.due;
    if (said.quantity !== order.quantity) body.quantity = said.quantity;
    if (said.priority !== order.priority) body.priority = said.priority;
    if (await attempt(() => call("PATCH", pathOf(order.id), body), t("book.told"))) this.after();
  }

  async hold(order, held) {
    const said = await inquire({
      title: t(held ? "book.hold-title" : "book.release-title", { order: order.id }), note: t(held ? "book.hold-note" : "book.release-note"),
      fields: [{ name: "note", label: t("book.note"), required: false }, personField()], confirm: t(held ? "lot.hold" : "lot.release"),
    });
    if (said && (await attempt(() => call("PATCH", pathOf(order.id), { hold: held, by: said.person, note: said.note }), t("book.told")))) this.after();
  }

  async cancel(order) {
    const said = await inquire({
      title: t("book.cancel-title", { order: order.id }), note: t("book.cancel-note"),
      fields: [{ name: "note", label: t("book.note"), required: false }, personField()], confirm: t("book.cancel"), danger: true,
    });
    if (!said) return;
    const query = new URLSearchParams({ by: said.person, note: said.note });
    if (await attempt(() => call("DELETE", `${pathOf(order.id)}?${query}`), t("book.told"))) this.after();
  }
}
