/** The book itself: one row an order, sorted by its heads, lateness by the live plan in shape, colour and number. */

import { Table, byId, h, mark, put } from "../dom.js";
import { plantNow } from "../live.js";
import { plant, productName } from "../plant.js";
import { moment, n, span, t } from "../words.js";
import { call } from "./wire.js";

const PAGE = 100;
const WAIT_MS = 200;

export class Book {
  constructor(onOpen) {
    this.offset = 0;
    this.sort = "due";
    this.descending = false;
    this.chosen = "";
    this.asked = 0;
    const columns = [
      { title: t("orders.id"), class: "id", text: (o) => o.id, sort: "id" },
      { title: t("orders.product"), class: "name", text: (o) => productName(o.product), sort: "product" },
      { title: t("book.quantity"), class: "num", text: (o) => n(o.quantity), sort: "quantity" },
      { title: t("orders.due"), class: "num", text: (o) => moment(o.due_ms, now()), sort: "due" },
      { title: t("book.end"), class: "num", fill: end, sort: "end" },
      { title: t("book.late"), class: "num", fill: late, sort: "late" },
      { title: t("book.progress"), class: "prog", fill: progress, sort: "progress" },
      { title: t("book.priority"), class: "num", text: (o) => n(o.priority), sort: "priority" },
      { title: t("table.state"), fill: status, sort: "status" },
    ];
    this.table = new Table(byId("book"), columns, { key: (o) => o.id, label: t("book.title"), onRow: (o) => onOpen(o.id), empty: t("book.none") });
    this.heads(columns);
    let timer = 0;
    for (const id of ["find", "status", "late"]) {
      byId(id).addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.turn(0), WAIT_MS);
      });
    }
    byId("before").onclick = () => this.turn(this.offset - PAGE);
    byId("after").onclick = () => this.turn(this.offset + PAGE);
    const url = new URL(location.href);
    byId("find").value = url.searchParams.get("find") ?? "";
    byId("status").value = url.searchParams.get("status") ?? "open";
    byId("late").checked = url.searchParams.has("late");
  }

  /** Heads that sort: a button in each, the direction told to screen readers too. */
  heads(columns) {
    [...this.table.table.tHead.rows[0].cells].forEach((head, i) => {
      const { sort, title } = columns[i];
      const button = h("button", { type: "button", class: "o-sort", text: title });
      button.onclick = () => {
        this.descending = this.sort === sort ? !this.descending : ["late", "end", "progress", "quantity"].includes(sort) && sort !== "end";
        this.sort = sort;
        this.turn(0);
      };
      head.replaceChildren(button);
      head.dataset.sort = sort;
    });
  }

  query() {
    const status = byId("status").value || "open";
    const search = byId("find").value.trim();
    return new URLSearchParams({ status, sort: this.sort, ...(this.descending && { descending: "true" }), ...(search && { search }), ...(byId("late").checked && { late: "true" }) });
  }

  turn(offset) {
    this.offset = Math.max(0, offset);
    return this.load();
  }

  async load() {
    const asked = ++this.asked;
    const query = this.query();
    for (const [id, way] of [["book-csv", "export.csv"], ["book-xml", "performance.xml"]]) byId(id).href = `/api/orders/${way}?${query}`;
    const found = await call("GET", `/api/orders?${query}&limit=${PAGE}&offset=${this.offset}`);
    if (asked !== this.asked) return;
    if (!found.orders.length && this.offset) {
      await this.turn(Math.floor(Math.max(0, found.total - 1) / PAGE) * PAGE);
      return;
    }
    this.show(found);
  }

  show({ orders, total, plan }) {
    this.table.show(orders);
    for (const [key, row] of this.table.rows) mark(row, "aria-selected", key === this.chosen ? "true" : null);
    for (const head of this.table.table.tHead.rows[0].cells) {
      mark(head, "aria-sort", head.dataset.sort === this.sort ? (this.descending ? "descending" : "ascending") : null);
    }
    const from = plan ? t("book.by-plan", { n: plan }) : t("book.by-clock");
    put(byId("book-note"), `${t("book.count", { n: n(total) })} · ${from}`);
    byId("pages").hidden = total <= PAGE;
    put(byId("page-note"), t("book.page", { from: n(Math.min(total, this.offset + 1)), to: n(this.offset + orders.length), n: n(total) }));
    byId("before").disabled = this.offset === 0;
    byId("after").disabled = this.offset + orders.length >= total;
  }

  choose(order) {
    this.chosen = order;
    for (const [key, row] of this.table.rows) mark(row, "aria-selected", key === order ? "true" : null);
  }
}

export const now = () => plantNow(plant.speed);
const OPEN = ["received", "released", "held", "cancelling"];

function end(cell, order) {
  put(cell, order.end_ms ? moment(order.end_ms, now()) : "–");
}

/** By the live plan, else by the clock; a square beside the colour. */
export function late(cell, order) {
  const open = OPEN.includes(order.status);
  const is = open && order.late_s > 0;
  put(cell, is ? `■ ${span(order.late_s * 1000)}` : open && order.end_ms ? t("book.on-time") : "–");
  mark(cell, "data-mark", is ? "alarm" : null);
}

function progress(cell, order) {
  if (!cell.firstChild) cell.append(h("span"), h("i", { class: "bar", "aria-hidden": "true" }, h("i")));
  put(cell.firstChild, t("book.done-of", { done: n(order.done), quantity: n(order.quantity), pct: n(100 * order.progress) }));
  cell.lastChild.firstChild.style.width = `${100 * order.progress}%`;
}

/** A lot that waits for a person outweighs the order's own word. */
export function status(cell, order) {
  const word = t(`book.status-${order.status}`);
  const marks = order.held ? "warn" : order.status === "held" || order.status === "cancelling" ? "warn" : null;
  put(cell, (marks ? "▲ " : "") + word + (order.held ? ` · ${t("book.lots-held", { n: n(order.held) })}` : ""));
  mark(cell, "data-mark", marks);
}
