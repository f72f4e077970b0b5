/** How fast the brain answers a breakdown: wall time from the machine's word to each hop, p50 and p95 over the last ones. */

import { h } from "../dom.js";
import { n, seconds, t } from "../words.js";

/** Said beside the strip; the others are in its table. */
const MILESTONES = ["in_force", "taken", "sent", "proven"];

export class Reaction {
  constructor(place) {
    this.place = place;
    this.said = "";
  }

  show(figures) {
    const told = JSON.stringify(figures);
    if (told === this.said) return;
    this.said = told;
    if (!figures?.decisions) {
      this.place.replaceChildren(h("p", { class: "none", text: t(figures ? "reaction.none" : "reaction.no-planner") }));
      return;
    }
    const cell = (hop) => {
      const { p50, p95, n: count } = figures.since_measured_ms[hop];
      return h("div", { class: "reaction-cell", title: t("reaction.count", { n: n(count) }) },
        h("span", { text: t(`hop.${hop}`) }), h("b", { text: count ? `${seconds(p50)} s` : "–" }), h("i", { text: count ? t("reaction.p95", { s: seconds(p95) }) : "" }));
    };
    this.place.replaceChildren(
      h("div", { class: "reaction-cells" }, ...MILESTONES.map(cell)),
      h("details", {}, h("summary", { text: t("reaction.each", { n: n(figures.decisions) }) }), table(figures)),
    );
  }
}

function table({ since_measured_ms: since, hop_ms: alone }) {
  const row = (hop) => h("tr", {}, h("th", { scope: "row", text: t(`hop.${hop}`) }), ...[alone[hop], since[hop]].flatMap(({ p50, p95, n: count }) => [h("td", { class: "num", text: count ? seconds(p50) : "–" }), h("td", { class: "num", text: count ? seconds(p95) : "–" })]));
  const heads = ["reaction.hop", "reaction.alone-p50", "reaction.alone-p95", "reaction.since-p50", "reaction.since-p95"];
  return h("table", { "aria-label": t("reaction.title") },
    h("thead", {}, h("tr", {}, ...heads.map((key, i) => h("th", { scope: "col", class: i ? "num" : null, text: t(key) })))),
    h("tbody", {}, ...Object.keys(since).map(row)));
}
