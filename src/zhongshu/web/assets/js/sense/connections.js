/** The connections: where each leads, whether it stands, how much comes through it, and how often it broke. */

import { Table, byId, h, mark, put } from "../dom.js";
import { wallNow } from "../live.js";
import { plant } from "../plant.js";
import { age, n, t } from "../words.js";

const LATE_MS = 10_000;

export class Connections {
  constructor(place) {
    const columns = [
      { title: t("table.connection"), text: ({ known }) => known.id },
      { title: t("table.protocol"), class: "opt", text: ({ known }) => known.protocol },
      { title: t("table.endpoint"), class: "wrap opt", text: ({ known }) => known.endpoint },
      { title: t("table.state"), class: "state", fill: state },
      { title: t("table.devices"), class: "num", fill: devices },
      { title: t("table.rate"), class: "num", text: ({ row }) => n(row[3]) },
      { title: t("table.heard"), class: "num", fill: heard },
      { title: t("table.breaks"), class: "num opt", text: ({ row }) => n(row[5]) },
    ];
    this.table = new Table(place, columns, { key: ({ known }) => known.id, label: t("sense.connections"), empty: t("table.none") });
  }

  show(links) {
    const rows = plant.connections.map((known, i) => ({ known, row: links[i] ?? [-1, null, null, null, 0, 0, ""] }));
    this.table.show(rows);
    put(byId("connections-note"), `${rows.filter(({ row }) => row[0] === 1).length} / ${rows.length}`);
  }
}

function state(cell, { row }) {
  if (!cell.firstChild) cell.append(h("i", { class: "dot" }), h("span"));
  const [kind, word] = row[0] === 1 ? ["up", "up"] : row[0] === 0 ? ["down", "down"] : ["stale", "unknown"];
  mark(cell.firstChild, "data-kind", kind);
  put(cell.lastChild, t(`link.${word}`) + (row[0] === 0 && row[6] ? ` · ${row[6]}` : ""));
  mark(cell, "data-mark", row[0] === 0 ? "alarm" : null);
}

function devices(cell, { row }) {
  put(cell, `${n(row[1])} / ${n(row[2])}`);
  mark(cell, "data-mark", row[1] !== null && row[1] < row[2] ? "warn" : null);
}

function heard(cell, { row }) {
  const now = wallNow();
  put(cell, age(row[4], now));
  mark(cell, "data-mark", row[4] && now - row[4] > LATE_MS ? "warn" : null);
}
