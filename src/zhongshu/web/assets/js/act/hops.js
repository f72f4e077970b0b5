/** The hops of one decision as a strip: how long each took, from the machine's word to the proof of the first command. */

import { h } from "../dom.js";
import { seconds, t } from "../words.js";

const ORDER = ["measured", "received", "said", "heard", "woke", "ready", "in_force", "published", "taken", "proposed", "sent", "accepted", "proven"];

/** `hops`: ms since the first of them. A hop that is not known yet is left out, and the strip says so. */
export function hopStrip(hops) {
  const known = ORDER.filter((hop) => hops[hop] !== undefined).sort((a, b) => hops[a] - hops[b]);
  if (known.length < 2) return h("p", { class: "none", text: t("hops.none") });
  const whole = hops[known.at(-1)] - hops[known[0]];
  const parts = known.slice(1).map((hop, i) => ({ hop, ms: hops[hop] - hops[known[i]] }));
  const bars = parts.map(({ hop, ms }, i) =>
    h("i", { style: `flex-grow:${Math.max(ms, whole * 0.004)}`, "data-odd": i % 2 ? "" : null, title: `${t(`hop.${hop}`)}: ${seconds(ms)} s` },
      ms > whole * 0.07 ? h("span", { text: `${seconds(ms)} s` }) : null));
  const list = parts.map(({ hop, ms }) => h("li", {}, h("span", { text: t(`hop.${hop}`) }), h("b", { text: `+${seconds(ms)} s` }), h("i", { text: `${seconds(hops[hop] - hops[known[0]])} s` })));
  const open = known.includes("proven") ? "" : t("hops.open");
  return h("div", { class: "hop-strip" },
    h("div", { class: "hop-bars", role: "img", "aria-label": t("hops.label", { s: seconds(whole) }) }, ...bars),
    h("ol", { class: "hop-list", "aria-label": t("hops.title") }, h("li", {}, h("span", { text: t(`hop.${known[0]}`) }), h("b", { text: "0" }), h("i")), ...list),
    open ? h("p", { class: "note", text: open }) : null);
}
