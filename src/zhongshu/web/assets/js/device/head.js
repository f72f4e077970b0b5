/** A device's heading: state, mode, job, Good points; figures change in place. */

import { h, mark, put } from "../dom.js";
import { picture, plantNow } from "../live.js";
import { areaName, isVehicle, jobWord, kindOf, modeName, plant, typeName } from "../plant.js";
import { stateCell } from "../states.js";
import { label, lasting, n, t } from "../words.js";
import { vehicleWord } from "../overview/floor.js";

export class Head {
  constructor(place, index) {
    this.index = index;
    this.unit = plant.units[index];
    this.parts = {};
    const pair = (name, title) => {
      this.parts[name] = h("b");
      return h("div", { class: "pair", "data-part": name }, h("span", { text: t(title) }), this.parts[name]);
    };
    const about = `${areaName(this.unit.area)} · ${typeName(this.unit.type)} · ${this.unit.connection}`;
    place.replaceChildren(h("div", { class: "head" },
      h("div", { class: "pair" }, h("span", { text: about }), h("b", { class: "name", text: label(this.unit.name) })),
      pair("state", "table.state"), pair("since", "table.since"), pair("mode", "table.mode"), pair("job", "device.job"),
      pair("progress", "table.progress"), pair("good", "table.points")));
    this.show();
  }

  show() {
    const row = picture.units[this.index];
    const vehicle = isVehicle(this.unit) ? picture.vehicles[plant.vehicleOf.get(this.unit.id)] : null;
    stateCell(this.parts.state, row);
    const since = row?.[6] && kindOf(row) !== "stale";
    put(this.parts.since, since ? lasting(plantNow(plant.speed) - row[6]) : "–");
    put(this.parts.mode, t(`mode.${modeName(row)}`));
    mark(this.parts.mode, "data-mark", row?.[1] > 1 ? "warn" : null);
    if (vehicle?.length) {
      put(this.parts.job, `${vehicleWord(vehicle)} · ${vehicle[3] ? t("vehicle.loaded", { lot: vehicle[3] }) : t("vehicle.empty")}`);
      put(this.parts.progress, t("vehicle.battery", { n: vehicle[4] }));
    } else {
      put(this.parts.job, jobWord(row) || t("device.no-job"));
      put(this.parts.progress, row?.[2] >= 0 ? `${row[2]} %` : "–");
    }
    const qualities = [...picture.points.values()].map((point) => point[1]);
    put(this.parts.good, `${n(qualities.filter((q) => q === 0).length)} / ${n(this.unit.points)}`);
  }
}
