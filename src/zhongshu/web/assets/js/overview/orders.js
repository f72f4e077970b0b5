/** Orders in progress: product, due time, pieces done, and lateness in shape, colour and number. */

import { Table, byId, h, mark, put } from "../dom.js";
import { onFrame, picture, plantNow } from "../live.js";
import { plant, productName } from "../plant.js";
import { moment, n, span, t } from "../words.js";

const MOST = 12;

export class Orders {
  constructor(place) {
    this.place = h("div");
    this.more = h("p", { class: "note" });
    place.replaceChildren(this.place, this.more);
    const columns = [
      { title: t("orders.id"), class: "id", text: (o) => o.id },
      { title: t("orders.product"), class: "name", text: (o) => productName(o.product) },
      { title: t("orders.due"), class: "num due", fill: due },
      { title: t("orders.done"), class: "num", fill: progress },
    ];
    const empty = `${t("orders.none")} · ${t("orders.none-how")}`;
    this.table = new Table(this.place, columns, { key: (o) => o.id, label: t("orders.title"), empty });
    onFrame((frame) => (frame.o || frame.k === "s" || frame.h) && this.show());
  }

  show() {
    const { orders = [], open = 0, late = 0 } = picture.orders;
    const now = plantNow(plant.speed);
    const sorted = [...orders].sort((a, b) => (b.due_ms < now) - (a.due_ms < now) || begun(b) - begun(a) || a.due_ms - b.due_ms);
    this.table.show(sorted.slice(0, MOST));
    const rest = open - Math.min(MOST, orders.length);
    put(this.more, rest > 0 ? t("orders.more", { n: n(rest) }) : "");
    put(byId("orders-note"), open ? t("orders.count", { open: n(open), late: n(late) }) : "");
  }
}

const begun = (order) => Number(order.status !== "received");

function due(cell, order) {
  const now = plantNow(plant.speed);
  const late = order.due_ms < now;
  const text = late ? `■ ${t("orders.late", { time: span(now - order.due_ms) })}` : moment(order.due_ms, now);
  put(cell, text);
  mark(cell, "data-mark", late ? "alarm" : null);
  mark(cell, "title", late ? moment(order.due_ms) : t("orders.left", { time: span(order.due_ms - now) }));
}

function progress(cell, order) {
  if (!cell.firstChild) cell.append(h("span"), h("i", { class: "bar", "aria-hidden": "true" }, h("i")));
  const waiting = order.status === "received";
  put(cell.firstChild, waiting ? t("orders.waiting") : `${n(order.done)} / ${n(order.quantity)}`);
  cell.lastChild.hidden = waiting;
  cell.lastChild.firstChild.style.width = `${(100 * order.done) / Math.max(1, order.quantity)}%`;
}
