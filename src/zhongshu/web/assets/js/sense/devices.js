/** Every device: state, Good points, and when it was last heard; found by words, narrowed to the troubled ones. */

import { Table, byId, mark, put } from "../dom.js";
import { picture, wallNow } from "../live.js";
import { areaName, kindOf, plant, typeName } from "../plant.js";
import { stateCell } from "../states.js";
import { age, label, n, t } from "../words.js";

export class Devices {
  constructor(place) {
    const columns = [
      { title: t("table.device"), text: (i) => label(plant.units[i].name) },
      { title: t("table.area"), class: "opt", text: (i) => areaName(plant.units[i].area) },
      { title: t("table.type"), class: "opt", text: (i) => typeName(plant.units[i].type) },
      { title: t("table.connection"), class: "opt", text: (i) => plant.units[i].connection },
      { title: t("table.state"), class: "state", fill: (cell, i) => stateCell(cell, picture.units[i]) },
      { title: t("table.points"), class: "num", fill: points },
      { title: t("table.heard"), class: "num", text: (i) => age(picture.sensed[i]?.[1], wallNow()) },
    ];
    const open = (i) => (location.href = `/device/${encodeURIComponent(plant.units[i].id)}`);
    this.table = new Table(place, columns, { key: (i) => i, label: t("sense.devices"), empty: t("table.none"), onRow: open });
    this.hay = plant.units.map((unit) =>
      [unit.id, unit.name.zh, unit.name.en, unit.connection, areaName(unit.area), typeName(unit.type)].join(" ").toLowerCase(),
    );
    byId("find").addEventListener("input", () => this.show());
    byId("trouble").addEventListener("change", () => this.show());
  }

  show() {
    const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const troubled = byId("trouble").checked;
    const rows = [...plant.units.keys()].filter((i) => words.every((word) => this.hay[i].includes(word)) && (!troubled || isTroubled(i)));
    this.table.show(rows);
    put(byId("devices-note"), t("sense.shown", { n: n(rows.length), total: n(plant.units.length) }));
  }
}

function isTroubled(i) {
  const sensed = picture.sensed[i];
  return ["down", "stopped", "stale"].includes(kindOf(picture.units[i])) || (sensed && sensed[0] < plant.units[i].points);
}

function points(cell, i) {
  const good = picture.sensed[i]?.[0];
  put(cell, `${n(good)} / ${n(plant.units[i].points)}`);
  mark(cell, "data-mark", good !== undefined && good < plant.units[i].points ? "warn" : null);
}
