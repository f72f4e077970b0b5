/** The journal: who put what right, when and why; each line that can be undone has its button. */

import { Table, byId, h, put } from "../dom.js";
import { inquire, personField } from "../decide/dialog.js";
import { unitName } from "../plant.js";
import { has, moment, n, stamp, t } from "../words.js";
import { attempt } from "./said.js";
import { call } from "./wire.js";

/** `due 14:00 → 16:00`, in words of this page. */
function values(correction) {
  return Object.entries(correction.after).map(([name, after]) => {
    const key = has(`fix.${name}`) ? t(`fix.${name}`) : name;
    return `${key} ${value(name, correction.before[name])} → ${value(name, after)}`;
  }).join(" · ");
}

function value(name, is) {
  if (is === null || is === undefined || is === "") return "–";
  if (name === "due_ns") return moment(Number(is) / 1e6);
  if (name === "place") return unitName(is);
  if (name === "at_output") return t(is ? "lot.behind" : "lot.before");
  if (name === "status") return t(`book.status-${is}`);
  if (name === "hold") return has(`hold.${is}-why`) ? t(`hold.${is}-why`) : is;
  return typeof is === "number" ? n(is, Number.isInteger(is) ? 0 : 2) : String(is);
}

export const subjectText = (subject) => {
  const [kind, ...rest] = subject.split(":");
  return `${t(`fix.of-${kind}`)} ${rest.join(":")}`;
};

/** One correction as a sentence. */
export function line(correction) {
  return [stamp(correction.t_ms), correction.by, t(`fix.${correction.kind}`), values(correction), correction.note && `“${correction.note}”`].filter(Boolean).join(" · ");
}

const final = (c) => (c.kind === "count" && c.after.good === 0) || "status" in c.before && c.kind === "order" || (c.kind === "stock" && c.before.quantity === null) || (c.kind === "move" && !c.before.place);

export class Journal {
  constructor(after) {
    const columns = [
      { title: t("table.time"), text: (c) => stamp(c.t_ms) },
      { title: t("fix.who"), text: (c) => c.by },
      { title: t("fix.what"), text: (c) => subjectText(c.subject) },
      { title: t("fix.kind"), text: (c) => t(`fix.${c.kind}`) },
      { title: t("fix.values"), class: "wrap", text: values },
      { title: t("book.note"), class: "wrap opt", text: (c) => c.note },
      { title: "", fill: (cell, c) => undoButton(cell, c, after) },
    ];
    this.table = new Table(byId("journal"), columns, { key: (c) => c.id, label: t("book.journal"), empty: t("book.no-changes") });
  }

  async load() {
    this.table.show((await call("GET", "/api/corrections?limit=50")).corrections);
  }
}

function undoButton(cell, correction, after) {
  if (cell.firstChild || final(correction)) return;
  const button = h("button", { type: "button", class: "plain", text: t("fix.undo") });
  button.onclick = async () => {
    const said = await inquire({ title: t("fix.undo-title"), note: line(correction), fields: [{ name: "note", label: t("book.note"), required: false }, personField()], confirm: t("fix.undo") });
    if (said && (await attempt(() => call("POST", `/api/corrections/${correction.id}/undo`, { by: said.person, note: said.note }), t("lot.told")))) after();
  };
  cell.append(button);
}

/** Bought materials as last counted, with a stock-take for each. */
export class StockTake {
  constructor(after) {
    const columns = [
      { title: t("stock.material"), fill: (cell, row) => put(cell, name(row)) },
      { title: t("stock.quantity"), class: "num", text: (row) => (row.quantity === null ? "–" : `${n(row.quantity, Number.isInteger(row.quantity) ? 0 : 2)} ${row.uom}`) },
      { title: t("stock.counted"), class: "num", text: (row) => (row.updated_ms ? stamp(row.updated_ms) : t("age.never")) },
      { title: "", fill: (cell, row) => countButton(cell, row, after) },
    ];
    this.table = new Table(byId("stock"), columns, { key: (row) => row.material, label: t("book.stock-title") });
  }

  async load() {
    const { stock } = await call("GET", "/api/stock");
    byId("stock-card").hidden = !stock.length;
    this.table.show(stock);
  }
}

const name = (row) => `${row.name[document.getElementById("zs").dataset.language]} · ${row.material}`;

function countButton(cell, row, after) {
  if (cell.firstChild) return;
  const button = h("button", { type: "button", class: "plain", text: t("stock.take") });
  button.onclick = async () => {
    const now = cell.parentNode.row;
    const fields = [{ name: "quantity", label: t("stock.quantity"), value: now.quantity ?? "" }, { name: "note", label: t("book.note"), required: false }, personField()];
    const said = await inquire({ title: t("stock.title", { material: name(now) }), note: t("stock.note"), fields, confirm: t("stock.take") });
    if (!said) return;
    const body = { quantity: Number(said.quantity.replace(",", ".")), note: said.note, by: said.person };
    if (await attempt(() => call("PUT", `/api/stock/${encodeURIComponent(now.material)}`, body), t("lot.told"))) after();
  };
  cell.append(button);
}
