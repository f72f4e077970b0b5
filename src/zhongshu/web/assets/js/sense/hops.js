/** Counts at every hop on the way from the devices to history; a sample that is lost on the way must show here. */

import { h, mark, put } from "../dom.js";
import { n, t } from "../words.js";

const HOPS = ["received", "kept", "doubled", "waiting", "published", "dropped", "stored", "lost"];

export class Hops {
  constructor(place) {
    this.cells = new Map();
    const grid = h("div", { class: "hops" });
    for (const name of HOPS) {
      const value = h("b", { text: "–" });
      this.cells.set(name, value);
      grid.append(h("div", { "data-hop": name }, value, h("span", { text: t(`sense.hop-${name}`) })));
    }
    place.replaceChildren(grid);
  }

  show(counts) {
    const said = { ...counts.hops, stored: counts.values_per_s, lost: counts.values_lost };
    for (const [name, node] of this.cells) put(node, n(said[name]));
    mark(this.cells.get("lost"), "data-mark", said.lost ? "alarm" : null);
    mark(this.cells.get("dropped"), "data-mark", said.dropped ? "warn" : null);
  }
}
