/** One order end to end: each lot's operations on a common time, done, running or planned, where it is now, and its commands. */

import { byId, h } from "../dom.js";
import { badness, chain, sentence } from "../chain.js";
import { isLive, onFrame, picture, plantNow } from "../live.js";
import { plant, productName, unitName } from "../plant.js";
import { label, moment, n, span, t } from "../words.js";

const EVERY_MS = 3000;
const COMMANDS_MOST = 12;

export class OrderPath {
  constructor(place, opened) {
    this.place = place;
    this.opened = opened;
    this.order = "";
    this.said = "";
    this.asked = false; // whoever asked for an order is not shown another one
    this.find = byId("order");
    this.find.addEventListener("change", () => this.open(this.find.value.trim()));
    setInterval(() => document.hidden || this.load(), EVERY_MS);
    onFrame((frame) => {
      if (!frame.o && frame.k !== "s") return;
      byId("order-list").replaceChildren(...(picture.orders.orders ?? []).map((o) => h("option", { value: o.id, label: productName(o.product) })));
      if (!this.order && !this.asked) this.suggest();
    });
  }

  /** The first order that something is being made of. */
  suggest() {
    const first = (picture.orders.orders ?? []).find((order) => order.status === "released");
    if (first) this.open(first.id, false);
    else this.place.replaceChildren(h("p", { class: "none", text: t("path.none") }));
  }

  open(order, asked = true) {
    if (!order) return;
    this.order = order;
    this.find.value = order;
    if (asked) {
      this.asked = true;
      this.opened(order);
    }
    this.load();
  }

  async load() {
    const order = this.order;
    if (!order) return;
    const answer = await fetch(`/api/paths/${order.split("/").map(encodeURIComponent).join("/")}`).catch(() => null);
    if (!answer || order !== this.order) return;
    if (answer.status === 404) {
      this.place.replaceChildren(h("p", { class: "none", text: t("path.unknown", { order }) }));
      this.order = this.said = ""; // not asked for again
    }
    if (!answer.ok) return;
    this.show(await answer.json());
  }

  show(path) {
    const told = JSON.stringify(path);
    if (told === this.said && this.drawn > performance.now() - 15000) return;
    this.said = told;
    this.drawn = performance.now();
    const now = isLive() ? plantNow(plant.speed) : picture.plantMs;
    const steps = path.lots.flatMap((lot) => lot.steps).concat(path.planned_only).filter((s) => s.start_ms);
    const times = steps.flatMap((s) => [s.start_ms, s.end_ms || now]).concat([path.due_ms, now, path.end_ms ?? now]);
    const axis = { from: Math.min(...times), to: Math.max(...times) };
    this.place.replaceChildren(head(path, now), picture_(path, axis, now), commands(path));
  }
}

function head(path, now) {
  const pair = (key, text, marked) => h("div", { class: "pair" }, h("span", { text: t(key) }), h("b", { text, "data-mark": marked }));
  const late = (path.end_ms ?? now) - path.due_ms;
  const done = path.status === "done";
  return h("div", { class: "head o-terms" }, pair("orders.product", productName(path.product)), pair("table.state", t(`book.status-${path.status}`)),
    pair("orders.done", `${n(path.done)} / ${n(path.quantity)}`), pair("orders.due", moment(path.due_ms, now)),
    pair(done ? "path.ended" : "path.expected", path.end_ms ? moment(path.end_ms, now) : "–"),
    pair("decided.lateness", path.end_ms ? (late > 0 ? `■ ${span(late)}` : t("book.on-time")) : "–", late > 0 ? "alarm" : null),
    h("a", { class: "plain", href: `/orders?${new URLSearchParams({ order: path.id })}`, text: t("path.in-book") }),
    h("a", { class: "plain", href: `/decide?${new URLSearchParams({ order: path.id })}`, text: t("book.in-plan") }));
}

/** A row a lot: bars on the common time; the same as words in the bars' titles and the row's text. */
function picture_(path, axis, now) {
  const at = (ms) => `${Math.max(0, Math.min(100, (100 * (ms - axis.from)) / Math.max(1, axis.to - axis.from)))}%`;
  const marks = () => [
    h("i", { class: "p-now", style: `left:${at(now)}`, title: t("plan.now") }),
    h("i", { class: "p-due", style: `left:${at(path.due_ms)}`, title: `${t("orders.due")} ${moment(path.due_ms, now)}` }),
  ];
  const rows = path.lots.map((lot) => h("li", { class: "p-row" },
    h("div", { class: "p-lot" }, h("b", { text: `${t("unit.lot", { lot: lot.lot })}` }), h("span", { text: productName(lot.product) }), h("span", { class: "why", text: where(lot) })),
    h("div", { class: "p-line" }, ...marks(), ...lot.steps.filter((s) => s.start_ms).map((s) => bar(s, at, now)))));
  if (path.planned_only.length) {
    rows.push(h("li", { class: "p-row" }, h("div", { class: "p-lot" }, h("b", { text: t("path.not-yet") }), h("span", { class: "why", text: t("path.not-yet-note", { n: n(path.planned_only.length) }) })),
      h("div", { class: "p-line" }, ...marks(), ...path.planned_only.map((s) => bar(s, at, now)))));
  }
  if (!rows.length) return h("p", { class: "none", text: t("path.no-lots") });
  const legend = h("div", { class: "p-legend note" }, ...["done", "running", "planned"].map((state) => h("span", {}, h("i", { class: "p-sample", "data-state": state }), t(`path.${state}`))),
    h("span", {}, h("i", { class: "p-sample", "data-state": "due" }), t("orders.due")), h("span", {}, h("i", { class: "p-sample", "data-state": "now" }), t("plan.now")));
  const axisLine = h("div", { class: "p-axis note" }, h("span", { text: moment(axis.from, now) }), h("span", { text: moment(axis.to, now) }));
  return h("div", {}, h("ol", { class: "p-rows", "aria-label": t("path.title") }, ...rows), axisLine, legend);
}

function bar(step, at, now) {
  const end = step.state === "running" ? Math.max(step.end_ms, now) : step.end_ms || now;
  const name = label(plant.operations.find((o) => o.number === step.operation)?.name) || String(step.operation);
  const text = `${name} · ${step.unit ? unitName(step.unit) : "–"} · ${moment(step.start_ms, now)} – ${moment(end, now)} · ${t(`path.${step.state}`)}`;
  return h("i", { class: "p-bar", "data-state": step.state, style: `left:${at(step.start_ms)};right:calc(100% - ${at(end)})`, title: text }, h("span", { class: "unseen", text }));
}

/** Where the lot is now, and on which vehicle. */
function where(lot) {
  const status = t(`lot.status-${lot.status}`);
  if (!lot.place) return status;
  const place = plant.indexOf.has(lot.place) ? unitName(lot.place) : lot.place;
  return `${status} · ${place}${lot.target && lot.target !== lot.place ? ` → ${unitName(lot.target)}` : ""}`;
}

function commands(path) {
  if (!path.commands.length) return h("p", { class: "note", text: t("path.no-commands") });
  const row = (command) => {
    const steps = h("div", { class: "chain" });
    chain(steps, command);
    return h("li", { "data-mark": badness(command) || null }, h("span", { text: `${unitName(command.unit)} · ${sentence(command)}` }), steps);
  };
  const rest = path.commands.length - COMMANDS_MOST;
  return h("div", {}, h("h3", { text: t("path.commands", { n: n(path.commands.length) }) }), h("ul", { class: "p-commands" }, ...path.commands.slice(0, COMMANDS_MOST).map(row)),
    rest > 0 ? h("a", { class: "more", href: `/act?${new URLSearchParams({ of: path.id })}#commands-card`, text: `${t("orders.more-commands", { n: n(rest) })} →` }) : null);
}
