/** The floor as a table: the same devices and vehicles for keyboard and screen reader. */

import { Table, h } from "../dom.js";
import { onFrame, picture, plantNow } from "../live.js";
import { areaName, byHand, isVehicle, jobWord, kindOf, modeName, plant, stateWord, typeName } from "../plant.js";
import { label, lasting, t } from "../words.js";
import { vehicleWord } from "./floor.js";

export class Rows {
  constructor(place) {
    this.place = place;
    const columns = [
      { title: t("table.device"), fill: (cell, i) => link(cell, plant.units[i]) },
      { title: t("table.area"), class: "opt", text: (i) => areaName(plant.units[i].area) },
      { title: t("table.type"), class: "opt", text: (i) => typeName(plant.units[i].type) },
      { title: t("table.state"), text: (i) => stateOf(i) },
      { title: t("table.mode"), class: "opt", text: (i) => (byHand(picture.units[i]) ? t(`mode.${modeName(picture.units[i])}`) : "") },
      { title: t("table.since"), class: "num", text: (i) => sinceOf(i) },
      { title: t("table.job"), text: (i) => jobOf(i) },
      { title: t("table.progress"), class: "num", text: (i) => progressOf(i) },
    ];
    this.table = new Table(place, columns, { key: (i) => i, label: t("map.label"), empty: t("map.empty") });
    onFrame((frame) => frame.h && this.show());
  }

  show() {
    if (!this.place.hidden) this.table.show([...plant.units.keys()]);
  }
}

const rowOf = (i) => picture.vehicles[plant.vehicleOf.get(plant.units[i].id)];

function link(cell, unit) {
  if (!cell.firstChild) cell.append(h("a", { href: `/device/${encodeURIComponent(unit.id)}`, text: label(unit.name) }));
}

function stateOf(i) {
  const row = rowOf(i);
  return isVehicle(plant.units[i]) && row?.length ? vehicleWord(row) : stateWord(picture.units[i]);
}

function sinceOf(i) {
  const row = picture.units[i];
  return row?.[6] && kindOf(row) !== "stale" ? lasting(plantNow(plant.speed) - row[6]) : "";
}

function jobOf(i) {
  const row = rowOf(i);
  return row?.[3] ? t("vehicle.loaded", { lot: row[3] }) : jobWord(picture.units[i]);
}

function progressOf(i) {
  const row = picture.units[i];
  return row?.[2] >= 0 && kindOf(row) === "run" ? `${row[2]} %` : "";
}
