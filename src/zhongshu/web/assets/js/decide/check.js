/** What can be said of a moved task at once, in the browser: able unit, closed time, order of steps, frozen zone, due date. */

import { unitName } from "../plant.js";
import { lasting, span, t } from "../words.js";
import { PLANNED } from "./plan.js";
import { firstAfter } from "./rows.js";

let able = null;

/** Fetch which unit can do what; without it every unit passes, and the planner says the rest. */
export async function loadAbilities() {
  const answer = await fetch("/api/plan/abilities");
  if (answer.ok) able = (await answer.json()).operations;
}

/** Ids of the units that can do a task's operation; null where nobody said it. */
export const ableUnits = (plan, i) => (able ? (able[plan.operation[i]] ?? []) : null);

/** {level: ok | warn | no, reasons: [text]}, the worst first. The planner has the last word. */
export function check(plan, i, unit, start, row, now) {
  const no = [];
  const warn = [];
  const end = start + (plan.end[i] - plan.start[i]);
  const units = ableUnits(plan, i);
  const id = plan.units[unit].id;
  if (units && !units.includes(id)) no.push(t("check.cannot", { unit: unitName(id) }));
  if (start < now) no.push(t("check.past"));
  else if (start < plan.frozenUntil) no.push(t("check.frozen"));
  closed(plan, unit, start, end, no, warn);
  steps(plan, i, start, end, no, warn);
  others(plan, i, row, start, end, no, warn);
  const order = plan.orders[plan.order[i]];
  if (end > order.due) warn.push(t("check.late", { time: span((end - order.due) * 1000) }));
  return { level: no.length ? "no" : warn.length ? "warn" : "ok", reasons: [...no, ...warn] };
}

function closed(plan, unit, start, end, no, warn) {
  for (const [from, to, kind] of plan.units[unit].closed) {
    if (kind === "overtime" || to <= start || from >= end) continue;
    if (kind === "break") warn.push(t("check.break", { time: lasting((to - from) * 1000) }));
    else no.push(t(`check.${kind}`));
  }
}

function steps(plan, i, start, end, no, warn) {
  const [before, after] = plan.neighbours(i);
  if (before >= 0 && start < plan.to[before]) no.push(t("check.before", { time: span((plan.to[before] - start) * 1000) }));
  if (after >= 0 && end > plan.from[after]) warn.push(t("check.after", { time: span((end - plan.from[after]) * 1000) }));
}

/** Tasks that lie there already: planned ones can give way, others can't. */
function others(plan, i, row, start, end, no, warn) {
  let pushed = 0;
  for (let k = firstAfter(row, start); k < row.bars.length; k++) {
    const j = row.bars[k];
    if (plan.from[j] >= end) break;
    if (j === i || plan.to[j] <= start) continue;
    if (plan.state[j] !== PLANNED || plan.frozen[j] || plan.pinned[j]) no.push(t(plan.pinned[j] ? "check.pinned" : "check.taken"));
    else pushed++;
  }
  if (pushed) warn.push(t("check.pushes", { n: pushed }));
}
