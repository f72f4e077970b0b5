/** What waits for a person: commands to approve or reject; shown only where the plant's API has a queue. */

import { Table, byId, h, mark, put } from "../dom.js";
import { sentence, why } from "../chain.js";
import { inquire, personField } from "../decide/dialog.js";
import { picture } from "../live.js";
import { attempt } from "../orders/said.js";
import { call } from "../orders/wire.js";
import { areaName, plant, unitName } from "../plant.js";
import { n, span, stamp, t } from "../words.js";
import { Ladder } from "./ladder.js";

const EVERY_MS = 2000;
const QUEUE = "/api/approvals";
const LADDER = "/api/autonomy";

/** Asks the API's own description, because a missing address would be an error in every browser's console. */
export async function showApprovals() {
  const answer = await fetch("/api/openapi.json").catch(() => null);
  if (!answer?.ok) return;
  const { paths } = await answer.json();
  const parts = [];
  if (paths[QUEUE]) parts.push(new Approvals());
  if (paths[LADDER]) parts.push(new Ladder(LADDER));
  const load = () => parts.forEach((part) => part.load().catch(() => {}));
  if (parts.length) setInterval(() => document.hidden || load(), EVERY_MS);
  load();
}

class Approvals {
  constructor() {
    const columns = [
      { title: t("table.time"), class: "opt", text: (row) => stamp(row.t_ms) },
      { title: t("table.area"), class: "opt", text: (row) => areaName(row.area) },
      { title: t("table.device"), text: (row) => unitName(row.unit) },
      { title: t("table.command"), fill: what },
      { title: t("approvals.left"), class: "num", fill: left },
      { title: "", fill: (cell, row) => this.buttons(cell, row) },
    ];
    this.table = new Table(byId("approvals"), columns, { key: (row) => row.key, label: t("approvals.title"), empty: t("approvals.none") });
    this.all = h("button", { type: "button", class: "plain primary", text: t("approvals.all") });
    this.all.onclick = () => this.judge(this.rows.map((row) => row.key), "approve");
    byId("approvals-tools").replaceChildren(this.all);
    this.rows = [];
    byId("approvals-card").hidden = false;
  }

  async load() {
    const { commands } = await call("GET", QUEUE);
    this.rows = commands;
    this.table.show(commands);
    this.all.hidden = commands.length < 2;
    put(byId("approvals-note"), commands.length ? t("approvals.count", { n: n(commands.length) }) : "");
    mark(byId("approvals-card"), "data-waits", commands.length ? "" : null);
  }

  buttons(cell, row) {
    if (cell.firstChild) return;
    const give = (ruling, danger) => {
      const button = h("button", { type: "button", class: "plain", "data-danger": danger, text: t(`approvals.${ruling}`), "aria-label": `${t(`approvals.${ruling}`)}: ${unitName(row.unit)} ${sentence(row)}` });
      button.onclick = () => this.judge([row.key], ruling);
      return button;
    };
    cell.append(h("span", { class: "d-buttons" }, give("approve"), give("reject", true)));
  }

  /** Every word carries the name of who said it. */
  async judge(commands, ruling) {
    const rejects = ruling === "reject";
    const fields = [{ name: "note", label: t("book.note"), required: false }, personField()];
    const said = await inquire({ title: t(`approvals.${ruling}-title`, { n: n(commands.length) }), fields, confirm: t(`approvals.${ruling}`), danger: rejects });
    if (!said) return;
    let refused = [];
    const done = await attempt(async () => {
      ({ refused } = await call("POST", QUEUE, { commands, ruling, by: said.person, note: said.note }));
    }, "");
    if (done && refused.length) await attempt(() => Promise.reject(new Error(t("approvals.gone", { n: n(refused.length) }))));
    this.load().catch(() => {});
  }
}

function what(cell, row) {
  if (!cell.firstChild) cell.append(h("div"), h("div", { class: "why" }));
  put(cell.firstChild, sentence(row));
  put(cell.lastChild, why(row));
}

/** How long it is still worth a word, in wall time. */
function left(cell, row) {
  const ms = (row.expires_ms - picture.plantMs) / Math.max(1, plant.speed);
  put(cell, ms > 0 ? span(ms) : t("approvals.over"));
  mark(cell, "data-mark", ms < 10000 ? "warn" : null);
}
