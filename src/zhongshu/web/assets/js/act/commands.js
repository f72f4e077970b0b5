/** The newest commands, each with its whole chain of proof; narrowed by status, device and order; a click tells a command's life. */

import { Table, byId, h, mark, put } from "../dom.js";
import { badness, chain, linkOf, sentence, verdict, why } from "../chain.js";
import { onFrame, picture } from "../live.js";
import { plant, unitName } from "../plant.js";
import { clock, has, n, seconds, stamp, t } from "../words.js";
import { keep } from "./address.js";

const MOST = 200;
const STATUSES = ["", "proven", "accepted", "sent", "approved", "proposed", "refused", "failed", "unknown", "expired"];
const EVERY_MS = 1000;

export class Commands {
  constructor() {
    const columns = [
      { title: t("table.time"), text: (row) => stamp(row.t_ms) },
      { title: "№", class: "num", text: (row) => row.key },
      { title: t("table.device"), fill: device },
      { title: t("table.command"), fill: what },
      { title: t("table.goes-by"), class: "opt", text: goesBy },
      { title: t("table.chain"), fill: steps },
      { title: t("table.detail"), class: "wrap opt", fill: verdict },
    ];
    this.table = new Table(byId("commands"), columns, { key: (row) => row.key, label: t("act.commands"), empty: t("act.none"), onRow: (row) => this.life(row.key) });
    byId("status").append(...STATUSES.map((s) => h("option", { value: s, text: s ? t(`chain.${s}`) : t("act.status-all") })));
    const url = new URL(location.href);
    byId("find").value = url.searchParams.get("unit") ?? "";
    byId("status").value = url.searchParams.get("status") ?? "";
    byId("of-order").value = url.searchParams.get("of") ?? "";
    this.past = [];
    this.timer = 0;
    this.chosen = 0;
    this.narrowed = null;
    for (const id of ["find", "status", "of-order"]) byId(id).addEventListener("input", () => this.load());
    onFrame((frame) => (frame.c || frame.k === "s") && this.soon());
  }

  async load() {
    const [unit, status, order] = [wantedUnit(), byId("status").value, byId("of-order").value.trim()];
    const query = new URLSearchParams({ limit: MOST, ...(unit && { unit }), ...(status && { status }), ...(order && { order }) });
    const answer = await fetch(`/api/commands?${query}`);
    if (answer.ok) this.past = (await answer.json()).commands;
    this.narrowed = order ? new Set(this.past.map((row) => row.subject)) : null;
    keep({ unit: byId("find").value, status, of: order });
    this.show();
  }

  /** At most once a second, however fast commands come. */
  soon() {
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      this.show();
    }, EVERY_MS);
  }

  show() {
    const rows = new Map(this.past.map((row) => [row.key, row]));
    for (const [key, row] of picture.commands) if (!this.narrowed || this.narrowed.has(row.subject)) rows.set(key, row);
    const [words, status] = [byId("find").value.toLowerCase(), byId("status").value];
    const shown = [...rows.values()]
      .filter((row) => (!status || row.status === status) && (!words || `${row.unit} ${unitName(row.unit)}`.toLowerCase().includes(words)))
      .sort((a, b) => b.key - a.key)
      .slice(0, MOST);
    this.table.show(shown);
    put(byId("act-note"), t("act.newest", { n: n(shown.length) }));
    if (this.chosen && rows.has(this.chosen)) this.tell(rows.get(this.chosen));
  }

  /** Step by step: what happened to one command, when, and what the proof was. */
  async life(key) {
    this.chosen = this.chosen === key ? 0 : key;
    byId("life").hidden = !this.chosen;
    if (!this.chosen) return;
    const answer = await fetch(`/api/commands/${key}`);
    if (answer.ok && key === this.chosen) this.tell(await answer.json());
  }

  tell(row) {
    const place = byId("life");
    const said = `${row.key} ${row.status} ${row.steps.length}`;
    if (place.dataset.said === said) return;
    place.dataset.said = said;
    const close = h("button", { type: "button", class: "plain o-close", text: "×", "aria-label": t("dialog.close") });
    close.onclick = () => this.life(row.key);
    const line = ([status, ms, detail], i) => h("li", { "data-mark": status === row.status ? badness(row) || null : null },
      h("time", { text: new Date(ms).toLocaleTimeString("sv-SE") }), h("b", { text: t(`chain.${status}`) }), h("span", { text: i ? `+${seconds(ms - row.steps[i - 1][1])} s` : "" }), h("span", { class: "why", text: words(detail) }));
    place.replaceChildren(
      h("header", {}, h("h3", { text: `№ ${row.key} · ${unitName(row.unit)} · ${sentence(row)}` }), h("span", { class: "note", text: [why(row), goesBy(row), clock(row.t_ms)].filter(Boolean).join(" · ") }), close),
      h("ol", { class: "life", "aria-label": t("act.life") }, ...row.steps.map(line)));
  }
}

const words = (detail) => (detail ?? "").split(": ").map((part) => (has(`detail.${part}`) ? t(`detail.${part}`) : has(`reason.${part}`) ? t(`reason.${part}`) : part)).join(": ");

/** The plan by its number, or the rule, that a command goes by. */
function goesBy(row) {
  const [kind, what] = (row.decision ?? "").split(" ");
  if (kind === "plan") return t("goes-by.plan", { version: what });
  return kind === "rule" && has(`goes-by.${what}`) ? t(`goes-by.${what}`) : row.by && row.by !== "brain" ? row.by : "";
}

/** The id of the device that was typed, by id or name; empty where it is no whole one. */
function wantedUnit() {
  const typed = byId("find").value.trim().toLowerCase();
  return plant.units.find((u) => [u.id, u.name.zh, u.name.en].some((name) => name.toLowerCase() === typed))?.id ?? "";
}

function device(cell, row) {
  if (!cell.firstChild) cell.append(h("a", { href: linkOf(row), text: unitName(row.unit) }));
}

function what(cell, row) {
  if (!cell.firstChild) cell.append(h("div"), h("div", { class: "why" }));
  put(cell.firstChild, sentence(row));
  put(cell.lastChild, why(row));
}

function steps(cell, row) {
  if (!cell.firstChild) cell.append(h("div", { class: "chain" }));
  chain(cell.firstChild, row, false);
  mark(cell, "data-bad", badness(row) || null);
}
