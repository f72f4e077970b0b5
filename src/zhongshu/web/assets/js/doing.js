/** What the brain is doing: commands that need a look first, then the newest, each with its chain of proof. */

import { h, mark, put } from "./dom.js";
import { onFrame, picture } from "./live.js";
import { badness, chain, linkOf, sentence, verdict, why } from "./chain.js";
import { unitName } from "./plant.js";
import { clock, stamp, t } from "./words.js";

const ATTENTION_MS = 15 * 60 * 1000;
const ATTENTION_MOST = 2;
const LATEST_MOST = 10;
const EVERY_MS = 1000;

export class Doing {
  /** @param unit only this unit's commands, or "" for all */
  constructor(place, { unit = "", most = LATEST_MOST } = {}) {
    this.unit = unit;
    this.most = most;
    this.entries = new Map();
    this.attention = h("div", { class: "doing-list" });
    this.latest = h("div", { class: "doing-list" });
    this.none = h("p", { class: "none", text: t(unit ? "act.none" : "doing.none") });
    this.heads = [h("h3", { text: t("doing.attention") }), h("h3", { text: t("doing.newest") })];
    place.replaceChildren(this.heads[0], this.attention, this.heads[1], this.latest, this.none);
    place.addEventListener("mouseenter", () => (this.held = true));
    place.addEventListener("mouseleave", () => (this.held = false));
    this.shown = 0;
    this.extra = [];
    onFrame((frame) => (frame.k === "s" || frame.k === "d") && this.tick());
  }

  /** Commands of before the page was opened, newest first. */
  add(rows) {
    this.extra = rows;
    this.shown = 0;
    this.tick();
  }

  /** Once a second, and not while somebody points at the list: what is read must not move. */
  tick() {
    const now = performance.now();
    if (now - this.shown < EVERY_MS || (this.held && this.shown)) return;
    this.shown = now;
    const rows = this.rows();
    const bad = rows.filter((row) => badness(row) && picture.wallMs - lastMs(row) < ATTENTION_MS).slice(0, ATTENTION_MOST);
    const rest = rows.filter((row) => !bad.includes(row)).slice(0, this.most);
    this.fill(this.attention, bad);
    this.fill(this.latest, rest);
    this.heads[0].hidden = !bad.length;
    this.heads[1].hidden = !bad.length || !rest.length;
    this.none.hidden = rows.length > 0;
    this.forget(new Set([...bad, ...rest].map((row) => row.key)));
  }

  rows() {
    const all = new Map(this.extra.map((row) => [row.key, row]));
    for (const [key, row] of picture.commands) all.set(key, row);
    return [...all.values()].filter((row) => !this.unit || row.unit === this.unit).sort((a, b) => b.key - a.key);
  }

  fill(place, rows) {
    rows.forEach((row, i) => {
      const node = this.entries.get(row.key) ?? this.made(row);
      this.update(node, row);
      if (place.children[i] !== node) place.insertBefore(node, place.children[i] ?? null);
    });
    while (place.children.length > rows.length) place.lastChild.remove();
  }

  made(row) {
    const node = h("a", { class: "doing", href: linkOf(row) },
      h("div", { class: "doing-line" }, h("time"), h("b", { text: unitName(row.unit) }), h("span", { class: "what" })),
      h("div", { class: "why" }), h("div", { class: "chain" }), h("div", { class: "verdict" }));
    this.entries.set(row.key, node);
    return node;
  }

  update(node, row) {
    const [line, reason, steps, end] = node.children;
    put(line.children[0], this.unit ? stamp(row.t_ms) : clock(row.t_ms));
    put(line.children[2], sentence(row));
    put(reason, why(row));
    chain(steps, row);
    verdict(end, row);
    mark(node, "data-mark", badness(row) || null);
  }

  forget(keep) {
    for (const key of this.entries.keys()) if (!keep.has(key)) this.entries.delete(key);
  }
}

const lastMs = (row) => row.steps.at(-1)?.[1] ?? 0;
