/** The vehicles: on the floor map with the way that each has before it, and in a table with load, order and battery. */

import { Table, byId, h, mark, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { Floor, vehicleWord } from "../overview/floor.js";
import { plant, productName, unitName } from "../plant.js";
import { n, t } from "../words.js";
import { drawRoutes } from "./routes.js";

const EVERY_MS = 2000;

export class Vehicles {
  constructor(place, openOrder) {
    this.openOrder = openOrder;
    this.missions = new Map();
    this.chosen = "";
    this.asked = 0;
    this.floor = new Floor();
    this.floor.look.under = (g, plan, look) => drawRoutes(g, plan, look, this.missions, this.chosen);
    const columns = [
      { title: t("mission.vehicle"), fill: (cell, id) => this.name(cell, id) },
      { title: t("table.state"), fill: (cell, id) => this.state(cell, id) },
      { title: t("mission.for"), fill: (cell, id) => this.mission(cell, id) },
      { title: t("mission.battery"), class: "num", fill: battery },
    ];
    this.table = new Table(place, columns, { key: (id) => id, label: t("mission.title"), empty: t("mission.none"), onRow: (id) => this.choose(id) });
    onFrame((frame) => (frame.v || frame.k === "s") && this.soon());
    this.load();
  }

  choose(id) {
    this.chosen = this.chosen === id ? "" : id;
    this.show();
    this.floor.draw();
  }

  /** Missions change with the orders of vehicles; asked for at most every other second. */
  soon() {
    if (performance.now() - this.asked > EVERY_MS) this.load();
    this.show();
  }

  async load() {
    this.asked = performance.now();
    const answer = await fetch("/api/missions").catch(() => null);
    if (!answer?.ok) return;
    const { vehicles } = await answer.json();
    this.missions = new Map(vehicles.map(({ vehicle, mission }) => [vehicle, mission]));
    this.show();
    this.floor.draw();
  }

  show() {
    const ids = [...plant.vehicles].sort((a, b) => Boolean(this.missions.get(b)) - Boolean(this.missions.get(a)) || plant.vehicleOf.get(a) - plant.vehicleOf.get(b));
    this.table.show(ids);
    const driving = [...this.missions.values()].filter(Boolean).length;
    put(byId("vehicles-note"), plant.vehicles.length ? t("mission.count", { n: n(driving), of: n(plant.vehicles.length) }) : "");
  }

  name(cell, id) {
    if (!cell.firstChild) cell.append(h("a", { href: `/device/${encodeURIComponent(id)}`, text: unitName(id) }));
    mark(cell.parentNode, "aria-selected", id === this.chosen ? "true" : null);
  }

  state(cell, id) {
    const row = rowOf(id);
    if (!cell.firstChild) cell.append(h("div"), h("div", { class: "why" }));
    put(cell.firstChild, row?.length ? vehicleWord(row) : t("state.absent"));
    put(cell.lastChild, row?.length ? (row[3] ? t("vehicle.loaded", { lot: row[3] }) : t("vehicle.empty")) : "");
    mark(cell, "data-mark", row?.length && row[6] & 12 && !(row[6] & 16) ? "alarm" : null);
  }

  mission(cell, id) {
    if (!cell.firstChild) {
      const order = h("button", { type: "button", class: "plain as-link" });
      order.onclick = (event) => {
        event.stopPropagation();
        this.openOrder(order.textContent);
      };
      cell.append(h("div"), h("div", { class: "why" }, order, h("span")));
    }
    const mission = this.missions.get(id);
    const order = cell.lastChild.firstChild;
    put(cell.firstChild, mission ? way(mission) : "");
    put(order, mission?.order ?? "");
    order.hidden = !mission?.order;
    put(cell.lastChild.lastChild, mission?.product ? ` ${productName(mission.product)} · ${t("unit.lot", { lot: mission.lot })}` : "");
  }
}

const rowOf = (id) => picture.vehicles[plant.vehicleOf.get(id)];

function way({ from, to, reason }) {
  if (from && to) return t("command.from-to", { from: unitName(from), to: unitName(to) });
  if (to) return `→ ${unitName(to)}`;
  return t(reason === "battery_low" ? "verb.charge" : "verb.move");
}

function battery(cell, id) {
  const row = rowOf(id);
  if (!cell.firstChild) cell.append(h("span"), h("i", { class: "bar", "aria-hidden": "true" }, h("i")));
  put(cell.firstChild, row?.length ? `${row[4]} %` : "–");
  cell.lastChild.firstChild.style.width = `${row?.length ? row[4] : 0}%`;
  mark(cell, "data-mark", row?.length && row[4] < 20 ? "warn" : null);
}
