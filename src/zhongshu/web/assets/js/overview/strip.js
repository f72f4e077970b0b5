/** The strip of figures: only what is measured or counted; what nobody said is a dash. */

import { h, mark, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { isVehicle, kindOf, plant } from "../plant.js";
import { n, t } from "../words.js";

const CELLS = {
  running() {
    const kinds = plant.units.map((unit, i) => (isVehicle(unit) ? "" : kindOf(picture.units[i]))).filter(Boolean);
    const count = (kind) => kinds.filter((k) => k === kind).length;
    const down = count("down");
    return [n(count("run")), t("strip.running-of", { n: n(kinds.length) }), t("strip.running-note", { down: n(down), wait: n(count("wait")) }), down ? "alarm" : ""];
  },
  orders() {
    const { done_today: done, open, late } = picture.orders;
    return [n(done), t("strip.orders-unit"), t("strip.orders-note", { open: n(open), late: n(late) }), late ? "alarm" : ""];
  },
  pieces: () => [n(picture.orders.pieces), t("strip.pieces-unit"), t("strip.pieces-note"), ""],
  lots() {
    const { lots } = picture.orders;
    if (!lots) return ["–", "", "", ""];
    const sum = Object.values(lots).reduce((a, b) => a + b, 0);
    return [n(sum), t("strip.lots-unit"), t("strip.lots-note", { running: n(lots.running ?? 0), moving: n(lots.moving ?? 0) }), ""];
  },
  power: () => [n(picture.counts.power_kw), t("strip.power-unit"), t("strip.power-note"), ""],
  vehicles() {
    // What a silent vehicle did last is no news of what it does.
    const known = picture.vehicles.filter((row) => row?.length && !(row[6] & 16));
    const count = (bit) => known.filter((row) => row[6] & bit).length;
    const [driving, charging] = [count(1), count(2)];
    const faulty = known.some((row) => row[6] & 12);
    const silent = plant.vehicles.length - known.length;
    const waiting = n(Math.max(0, known.length - driving - charging));
    const note = silent ? t("strip.vehicles-silent", { silent: n(silent), waiting }) : t("strip.vehicles-note", { charging: n(charging), waiting });
    return [n(driving), t("strip.vehicles-of", { n: n(plant.vehicles.length) }), note, faulty ? "alarm" : silent ? "warn" : ""];
  },
  commands() {
    const { proven, refused, failed, unknown } = picture.counts.commands ?? {};
    return [n(proven), t("strip.commands-unit"), t("strip.commands-note", { refused: n(refused), failed: n(failed), unknown: n(unknown) }), unknown || failed ? "warn" : ""];
  },
};

export class Strip {
  constructor(place) {
    this.cells = Object.fromEntries(Object.keys(CELLS).map((name) => [name, cell(name)]));
    place.replaceChildren(...Object.values(this.cells));
    onFrame((frame) => (frame.h || frame.k === "s" || frame.o || frame.u) && this.show());
  }

  show() {
    for (const [name, figures] of Object.entries(CELLS)) {
      const [value, unit, note, badge] = figures();
      const node = this.cells[name];
      put(node.querySelector("b"), value);
      put(node.querySelector("i"), unit);
      put(node.querySelector("p"), note);
      mark(node, "data-mark", badge || null);
    }
  }
}

function cell(name) {
  return h("div", { class: "figure-cell", "data-figure": name },
    h("h3", { text: t(`strip.${name}`) }), h("div", {}, h("b", { text: "–" }), " ", h("i")), h("p"));
}
