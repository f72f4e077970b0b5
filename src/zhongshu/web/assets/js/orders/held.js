/** What waits for a person: lots that are held, each with the reason and what is wanted. */

import { Table, byId, h, put } from "../dom.js";
import { productName } from "../plant.js";
import { age, n, t } from "../words.js";
import { now } from "./book.js";
import { actions, piecesText, wantedText, whereText } from "./lots.js";
import { call } from "./wire.js";

export class Held {
  constructor(onOpen, after) {
    const columns = [
      { title: t("table.lot"), class: "num", text: (lot) => lot.lot },
      { title: t("orders.id"), fill: (cell, lot) => link(cell, lot, onOpen) },
      { title: t("lot.what"), fill: (cell, lot) => two(cell, productName(lot.product), piecesText(lot)) },
      { title: t("lot.place"), text: whereText },
      { title: t("lot.wanted"), class: "wrap", fill: (cell, lot) => two(cell, t(`hold.${lot.hold}-why`), wantedText(lot)) },
      { title: t("table.since"), class: "num opt", text: (lot) => age(lot.since_ms, now()) },
      { title: "", fill: (cell, lot) => again(cell, lot, after) },
    ];
    this.table = new Table(byId("held"), columns, { key: (lot) => lot.lot, label: t("book.held-title") });
  }

  async load() {
    const { lots } = await call("GET", "/api/lots/held");
    byId("held-card").hidden = !lots.length;
    put(byId("held-note"), t("book.held-note", { n: n(lots.length) }));
    this.table.show(lots);
  }
}

function two(cell, first, second) {
  if (!cell.firstChild) cell.append(h("div"), h("div", { class: "why" }));
  put(cell.firstChild, first);
  put(cell.lastChild, second);
}

function link(cell, lot, onOpen) {
  if (cell.firstChild) return;
  const button = h("button", { type: "button", class: "d-link", text: lot.order });
  button.onclick = () => onOpen(lot.order);
  cell.append(button);
}

/** Buttons are made anew only when another set of them makes sense. */
function again(cell, lot, after) {
  const key = JSON.stringify([lot.hold, lot.good, lot.scrap, lot.place, lot.can_release]);
  if (cell.dataset.key === key) return;
  cell.dataset.key = key;
  cell.replaceChildren(actions(lot, after));
}
