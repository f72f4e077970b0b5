/** The decisions, newest first, and beside them the one that was chosen. */

import { h, mark, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { MEASURED, staged, tellShort } from "../story.js";
import { clock, n, t } from "../words.js";
import { detail } from "./detail.js";

const MOST = 60;
const AGAIN_MS = 1500;
const FACTS = "facts"; // all but what only the search found
const KINDS = [FACTS, "", "breakdown", "vehicle", "mode", "back", "orders", "late", "early", "reject", "people", "improved", "release"];

export class Decisions {
  constructor(list, place, { chosen, read, openOrder }) {
    this.list = list;
    this.place = place;
    this.after = { chosen, read, openOrder };
    this.rows = [];
    this.entries = new Map();
    this.chosen = new URL(location.href).searchParams.get("decision") ?? "";
    this.pinned = Boolean(this.chosen);
    this.said = "";
    this.timer = 0;
    this.kind = h("select", { id: "kind", "aria-label": t("decided.kind") }, ...KINDS.map((kind) => h("option", { value: kind, text: t(`decided.kind-${kind || "all"}`) })));
    this.kind.onchange = () => this.load();
    document.getElementById("decisions-tools").replaceChildren(this.kind);
    onFrame((frame) => (frame.d || frame.k === "s") && this.soon());
    setInterval(() => document.hidden || this.load(), 10000);
    this.load();
  }

  /** A burst of news is one question. */
  soon() {
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      this.load();
    }, this.rows.length ? AGAIN_MS : 0);
  }

  async load() {
    const kind = this.kind.value;
    const query = new URLSearchParams({ limit: MOST, ...(kind === FACTS ? { improvements: false } : kind && { rule: kind }) });
    const answer = await fetch(`/api/decisions?${query}`).catch(() => null);
    if (!answer?.ok) return;
    const { decisions, reaction } = await answer.json();
    this.rows = decisions;
    this.after.read(reaction);
    this.show();
    const known = decisions.some((d) => d.id === this.chosen);
    if (!this.pinned || (!known && !this.chosen)) this.chosen = (decisions.find((d) => MEASURED.includes(d.rule)) ?? decisions[0])?.id ?? "";
    this.open(this.chosen);
  }

  show() {
    put(document.getElementById("decisions-note"), this.rows.length ? t("act.newest", { n: n(this.rows.length) }) : "");
    if (!this.rows.length) {
      this.entries.clear();
      this.list.replaceChildren(h("p", { class: "none", text: t(this.kind.value !== FACTS ? "table.none" : picture.counts.plan?.version ? "decided.none" : "decided.no-planner") }));
      return;
    }
    if (!this.entries.size) this.list.replaceChildren();
    this.rows.forEach((d, i) => {
      const node = this.entries.get(d.id) ?? this.made(d);
      put(node.firstChild, clock(d.t_ms));
      tellShort(node.children[1], d);
      mark(node, "data-demo", staged(d) ? t("story.demo") : null);
      mark(node.querySelector(".tell-head"), "data-demo", staged(d) ? t("story.demo") : null);
      mark(node, "aria-pressed", d.id === this.chosen);
      if (this.list.children[i] !== node) this.list.insertBefore(node, this.list.children[i] ?? null);
    });
    while (this.list.children.length > this.rows.length) this.list.lastChild.remove();
    for (const [id, node] of this.entries) if (!node.isConnected) this.entries.delete(id);
  }

  made(d) {
    const node = h("button", { type: "button", class: "decided", "data-id": d.id }, h("time"), h("div", { class: "tell" }));
    node.onclick = () => {
      this.pinned = true;
      this.chosen = d.id;
      this.after.chosen(d.id);
      this.show();
      this.open(d.id);
      if (matchMedia("(max-width: 61rem)").matches) this.place.scrollIntoView({ block: "start" });
    };
    this.entries.set(d.id, node);
    return node;
  }

  async open(id) {
    if (!id) {
      this.place.replaceChildren(h("p", { class: "none", text: t("decided.choose") }));
      return;
    }
    const answer = await fetch(`/api/decisions/${encodeURIComponent(id)}`).catch(() => null);
    if (!answer || id !== this.chosen) return;
    if (!answer.ok) {
      this.place.replaceChildren(h("p", { class: "none", text: t("decided.gone") }));
      return;
    }
    const found = await answer.json();
    const told = JSON.stringify(found);
    if (told === this.said) return; // whoever reads shall not lose the place
    this.said = told;
    const opened = this.place.querySelector("details")?.open;
    detail(this.place, found, this.after.openOrder);
    const jobs = this.place.querySelector("details");
    if (jobs && opened) jobs.open = true;
    mark(this.place, "data-decision", id);
    this.show();
  }
}
