/** All points of a device, live: each row is made once, and only what changed in it is written. */

import { Table, byId, mark, put } from "../dom.js";
import { picture, plantNow } from "../live.js";
import { plant } from "../plant.js";
import { qualityCell } from "../states.js";
import { age, label, measured, t } from "../words.js";

export class Points {
  constructor(place, points) {
    this.points = points;
    const columns = [
      { title: t("table.point"), text: (i) => label(points[i].label) },
      { title: "", class: "note opt", text: (i) => points[i].name },
      { title: t("table.value"), class: "num now", fill: (cell, i) => this.value(cell, i) },
      { title: t("table.unit"), text: (i) => points[i].uom },
      { title: t("table.quality"), fill: (cell, i) => qualityCell(cell, picture.points.get(i)?.[1] ?? -1) },
      { title: t("table.changed"), class: "num", text: (i) => age(picture.points.get(i)?.[2], plantNow(plant.speed)) },
    ];
    const open = (i) => (location.href = `/history?points=${encodeURIComponent(points[i].path)}`);
    this.table = new Table(place, columns, { key: (i) => i, label: t("device.points"), empty: t("table.none"), onRow: open });
    this.hay = points.map((point) => `${point.name} ${point.label.zh} ${point.label.en} ${point.role}`.toLowerCase());
    byId("find").addEventListener("input", () => this.show());
    setInterval(() => this.show(), 1000);
  }

  show() {
    const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    this.table.show([...this.points.keys()].filter((i) => words.every((word) => this.hay[i].includes(word))));
  }

  value(cell, i) {
    const [value] = picture.points.get(i) ?? [null];
    put(cell, valueWord(this.points[i], value));
    mark(cell, "data-value", value);
  }
}

/** A value as people say it: the word of a choice, yes or no as 1 or 0, or a number. */
export function valueWord(point, value) {
  if (value === null || value === undefined) return "–";
  const choice = point.choices[String(Math.round(value))];
  return choice ? label(choice) : measured(value);
}
