/** What the chart's signs mean, each drawn as it is there. */

import { h } from "../dom.js";
import { t } from "../words.js";

const SIGNS = ["done", "actual", "running", "planned", "set-up", "closed", "down", "frozen", "moved", "late", "due", "pinned"];

export function legend(place) {
  place.replaceChildren(...SIGNS.map((name) => h("span", { class: "legend-item" }, h("i", { class: "d-sign", "data-sign": name, "aria-hidden": "true" }), t(`legend.${name}`))));
}
