/** Act: the newest commands, each with its whole chain of proof; narrowed by status and device. */

import { Table, byId, h, mark, put } from "../dom.js";
import { badness, chain, linkOf, sentence, verdict, why } from "../chain.js";
import { onFrame, picture } from "../live.js";
import { plant, unitName } from "../plant.js";
import { n, stamp, t } from "../words.js";

const MOST = 200;
const STATUSES = ["", "proven", "accepted", "sent", "approved", "proposed", "refused", "failed", "unknown", "expired"];
const EVERY_MS = 1000;

export function start() {
  const columns = [
    { title: t("table.time"), text: (row) => stamp(row.t_ms) },
    { title: "№", class: "num", text: (row) => row.key },
    { title: t("table.device"), fill: device },
    { title: t("table.command"), fill: what },
    { title: t("table.chain"), fill: steps },
    { title: t("table.detail"), class: "wrap", fill: verdict },
  ];
  const table = new Table(byId("commands"), columns, { key: (row) => row.key, label: t("title.act"), empty: t("act.none") });
  byId("status").append(...STATUSES.map((s) => h("option", { value: s, text: s ? t(`chain.${s}`) : t("act.status-all") })));
  const url = new URL(location.href);
  byId("find").value = url.searchParams.get("unit") ?? "";
  byId("status").value = url.searchParams.get("status") ?? "";
  const page = new Page(table);
  for (const id of ["find", "status"]) byId(id).addEventListener("input", () => page.load());
  onFrame((frame) => (frame.c || frame.k === "s") && page.soon());
  page.load();
}

class Page {
  constructor(table) {
    this.table = table;
    this.past = [];
    this.timer = 0;
  }

  async load() {
    const [unit, status] = [wantedUnit(), byId("status").value];
    const query = new URLSearchParams({ limit: MOST, ...(unit && { unit }), ...(status && { status }) });
    const answer = await fetch(`/api/commands?${query}`);
    if (answer.ok) this.past = (await answer.json()).commands;
    history.replaceState(null, "", `?${new URLSearchParams({ ...(byId("find").value && { unit: byId("find").value }), ...(status && { status }) })}`);
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
    for (const [key, row] of picture.commands) rows.set(key, row);
    const [words, status] = [byId("find").value.toLowerCase(), byId("status").value];
    const shown = [...rows.values()]
      .filter((row) => (!status || row.status === status) && (!words || `${row.unit} ${unitName(row.unit)}`.toLowerCase().includes(words)))
      .sort((a, b) => b.key - a.key)
      .slice(0, MOST);
    this.table.show(shown);
    put(byId("act-note"), t("act.newest", { n: n(shown.length) }));
  }
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
