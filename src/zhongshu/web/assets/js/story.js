/** A decision as a foreman would tell it: what happened, what the brain did about it, what it expects; only from what is on record. */

import { h, mark, put } from "./dom.js";
import { onFrame, picture } from "./live.js";
import { plant, unitName } from "./plant.js";
import { clock, has, moment, n, seconds, span, t } from "./words.js";

/** Decisions that answer a measured state word at once. */
export const MEASURED = ["breakdown", "vehicle", "mode"];
const FRESH_MS = 120000;
const STAGED_WITHIN_S = 600;

/** “冲压 03 14:02:11 停机”: what was measured, and when by plant time. */
export function happened(d) {
  const fact = d.trigger;
  const at = clock(fact.t_ms ?? d.t_ms);
  const unit = fact.unit ? unitName(fact.unit) : unitName(d.subject);
  const key = `decided.${keyOf(d)}`;
  const mode = fact.mode && has(`mode.${fact.mode}`) ? t(`mode.${fact.mode}`) : "";
  const off = fact.off_s ? span(Math.abs(fact.off_s) * 1000) : "";
  return t(has(key) ? key : "decided.other", { unit, at, mode, off, order: d.subject, by: fact.by ?? d.subject, good: n(fact.good ?? 0), scrap: n(fact.scrap ?? 0) });
}

function keyOf({ rule, trigger }) {
  if (MEASURED.includes(rule) && trigger.state === "UNDEFINED") return "silent";
  return rule === "orders" && trigger.what ? `orders-${trigger.what}` : rule;
}

/** “6 道工序改到冲压 01（4）、冲压 04（2）”. */
export function did(d) {
  if (d.chosen.name === "rules") return t(d.rule === "first" ? "did.first" : "did.anew", { n: n(d.chosen.tasks) });
  if (d.jobs) {
    const units = Object.entries(d.to).map(([unit, jobs]) => t("did.unit", { unit: unitName(unit), n: n(jobs) }));
    const shown = units.slice(0, 3).join(t("did.and"));
    const more = Object.values(d.to).length > 3 ? t("did.and-more") : "";
    return t(d.jobs === 1 ? "did.moved-one" : "did.moved", { n: n(d.jobs), units: shown + more });
  }
  return d.in_time ? t("did.in-time", { n: n(d.in_time) }) : t("did.nothing");
}

/** “没有工单因此变晚”, or who becomes late and by how much. */
export function expects(d) {
  if (!d.orders.length) return "";
  const [worst] = d.orders;
  const late = span(worst.expected_ms - worst.due_ms);
  if (d.orders_turned_late) return t(d.orders_turned_late === 1 ? "expects.one-late" : "expects.late", { n: n(d.orders_turned_late), of: n(d.orders_concerned), order: worst.id, late });
  if (d.orders_late && !worst.was_ms) return t("expects.new-late", { order: worst.id, late });
  if (d.orders_late) return t("expects.late-already", { n: n(d.orders_late), of: n(d.orders_concerned) });
  if (d.orders_concerned === 1) return t("expects.one-on-time", { order: worst.id, at: moment(worst.expected_ms, d.t_ms) });
  return t("expects.on-time", { n: n(d.orders_concerned), orders: d.orders.slice(0, 2).map((o) => o.id).join(t("did.and")) });
}

/** What came of it, once orders are done. */
export function came(d) {
  if (!d.actual) return "";
  const { done, of, late, expected_late: expected, later_s: later } = d.actual;
  const off = Math.abs(later) < 60 ? t("came.as-expected") : t(later > 0 ? "came.later" : "came.earlier", { time: span(Math.abs(later) * 1000) });
  return t("came.orders", { done: n(done), of: n(of), late: n(late), expected: n(expected) }) + off;
}

/** The fault that the demo arranged for this decision, if it was one. */
export function staged(d) {
  return (picture.decisions.staged ?? []).find((s) => s.unit === d.subject && Math.abs(s.t_ms - (d.trigger.t_ms ?? d.t_ms)) < STAGED_WITHIN_S * 1000 * Math.max(1, plant.speed / 10));
}

/** The steps of the story, each done or not yet; times are wall seconds since the machine's own word. */
export function steps(d) {
  const { in_force: mended, taken } = d.hops;
  const follows = d.follows ?? d.first;
  const better = d.improved;
  const proven = follows?.hops.proven;
  const list = [
    { text: happened(d), done: true, bad: true },
    { text: t("story.mended", { s: seconds(mended ?? 0) }), done: mended !== undefined },
    { text: did(d), done: mended !== undefined },
  ];
  if (better) list.push({ text: t(better.moved ? "story.improved-moved" : "story.improved", { s: seconds(better.seconds * 1000), n: n(better.moved ?? 0) }), done: true });
  if (follows) {
    const key = d.follows ? "story.follows" : "story.first";
    const s = proven ?? follows.hops.accepted ?? follows.hops.sent ?? follows.hops.proposed;
    list.push({ text: t(key, { unit: unitName(follows.unit), s: seconds(s) }) + (proven ? " ✓" : ""), done: proven !== undefined });
  } else {
    list.push({ text: t(taken !== undefined ? "story.taken" : "story.waits"), done: false });
  }
  return list;
}

/** The newest answer to a breakdown, while it is news; nothing else says so at the top of a page. */
export class Story {
  constructor(place) {
    this.place = place;
    this.said = "";
    this.closed = "";
    onFrame((frame) => (frame.d || frame.k === "s" || frame.h) && this.show());
  }

  show() {
    const last = picture.decisions.measured;
    const d = last && last.id !== this.closed ? last : null;
    const age = d ? picture.wallMs - d.trigger.seen_wall_ms : Infinity;
    const waiting = this.awaited();
    const fresh = age < FRESH_MS;
    this.place.hidden = !fresh && !waiting;
    if (this.place.hidden) return;
    const told = JSON.stringify(fresh ? [d, Boolean(staged(d))] : waiting);
    if (told === this.said) return;
    this.said = told;
    if (fresh) this.tell(d);
    else this.place.replaceChildren(h("b", { class: "story-tag", text: t("story.demo") }), h("span", { text: t("story.arranged", { unit: unitName(waiting.unit) }) }));
  }

  /** A fault that the demo has just asked for and that nobody has measured yet. */
  awaited() {
    const last = (picture.decisions.staged ?? []).at(-1);
    const recent = last && picture.plantMs - last.t_ms < 15000 * Math.max(1, plant.speed);
    return recent ? last : null;
  }

  tell(d) {
    const parts = steps(d).flatMap((step, i) => [
      i ? h("span", { class: "then", "aria-hidden": "true", text: "→" }) : null,
      h("span", { class: "story-step", "data-done": step.done ? "" : null, "data-bad": step.bad ? "" : null, text: `${step.bad ? "■ " : ""}${step.text}` }),
    ]).filter(Boolean);
    const close = h("button", { type: "button", class: "plain story-close", text: "×", "aria-label": t("dialog.close") });
    close.onclick = () => {
      this.closed = d.id;
      this.place.hidden = true;
      this.said = "";
    };
    this.place.replaceChildren(
      staged(d) ? h("b", { class: "story-tag", text: t("story.demo"), title: t("story.demo-hint") }) : "",
      h("span", { class: "story-steps" }, ...parts),
      h("a", { class: "more", href: `/act?decision=${encodeURIComponent(d.id)}`, text: `${t("story.more")} →` }), close,
    );
  }
}

/** A line of the story in a list: time, what happened, what was done, what is expected. */
export function tellShort(place, d) {
  if (!place.firstChild) place.append(h("div", { class: "tell-head" }), h("div"), h("div", { class: "why" }));
  put(place.children[0], happened(d));
  put(place.children[1], did(d));
  put(place.children[2], [expects(d), came(d)].filter(Boolean).join(" · "));
  mark(place, "data-bad", MEASURED.includes(d.rule) ? "" : null);
}
