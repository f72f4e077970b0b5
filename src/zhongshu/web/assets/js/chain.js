/** A command as people read it: what was asked of whom, and the chain of its proof with the time each step took. */

import { h, mark, put } from "./dom.js";
import { plant, productName, unitName } from "./plant.js";
import { has, seconds, t, told } from "./words.js";

const BAD = { refused: "alarm", failed: "alarm", unknown: "warn", expired: "minor" };
const ENDS = { ...BAD, proven: "" };
const SHAPE = { alarm: "■", warn: "▲", minor: "●" };

/** The mark of an end that needs a person: alarm, warn, minor, or nothing. */
export const badness = (row) => BAD[row.status] ?? "";

/** “AGV 12 · 运输 · 冲压 03 → 折弯 02”. */
export function sentence(row) {
  return [verbOf(row), aboutOf(row)].filter(Boolean).join(" · ");
}

function verbOf(row) {
  if (row.verb === "TRANSPORT" && !row.args.lot) return t(row.reason === "battery_low" ? "verb.charge" : "verb.move");
  return has(`verb.${row.verb}`) ? t(`verb.${row.verb}`) : row.verb;
}

function aboutOf(row) {
  const { lot, product, quantity, pick_unit: from, drop_unit: to, point, value } = row.args;
  if (row.verb === "START_JOB" && product) return t("command.job", { product: productName(product), n: quantity });
  if (row.verb === "TRANSPORT" && lot) return from ? t("command.from-to", { from: unitName(from), to: unitName(to) }) : `→ ${unitName(to)}`;
  if (row.verb === "SET_PARAMETER") return `${point} = ${value}`;
  return lot ? t("command.lot", { lot }) : "";
}

/** Why, and by whom where a person asked. */
export function why(row) {
  const by = row.by && row.by !== "brain" ? t("command.by", { by: row.by }) : "";
  const lot = row.args.lot ? t("command.lot", { lot: row.args.lot }) : "";
  return [lot, row.reason ? told("reason", row.reason) : "", by].filter(Boolean).join(" · ");
}

/** Fill `place` with the steps; each chip says how long after the one before it came. `short` leaves out the approval. */
export function chain(place, row, short = true) {
  const said = JSON.stringify([row.status, row.steps.length]);
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  const steps = short && row.status !== "approved" ? row.steps.filter(([status]) => status !== "approved") : row.steps;
  const parts = [];
  steps.forEach(([status, ms], i) => {
    if (i) parts.push(h("span", { class: "then", "aria-hidden": "true", text: "→" }));
    parts.push(chip(status, i ? seconds(ms - steps[i - 1][1]) : ""));
  });
  place.replaceChildren(...parts);
}

function chip(status, time) {
  const bad = BAD[status];
  const sign = bad ? `${SHAPE[bad]} ` : "";
  const text = `${sign}${t(`chain.${status}`)}${time ? ` ${time}` : ""}${status in ENDS ? " s" : ""}${status === "proven" ? " ✓" : ""}`;
  return h("span", { class: "chip", "data-mark": bad ?? (status === "proven" ? "proven" : null), text });
}

/** The device's own words where a command came to a bad end. */
export function verdict(place, row) {
  const bad = badness(row);
  put(place, bad ? row.detail.split(": ").map((word) => told("detail", word)).join(": ") : "");
  mark(place, "data-mark", bad || null);
}

/** Where a command's device page is. */
export const linkOf = (row) => (plant.indexOf.has(row.unit) ? `/device/${encodeURIComponent(row.unit)}` : "/act");
