/** What stands in the chart's rows: by unit, by order, or by vehicle; in groups that fold, narrowed by area or text. */

import { areaName, plant, productName, unitName } from "../plant.js";
import { label, n, t } from "../words.js";
import { DONE } from "./plan.js";

/**
 * Rows from top to bottom. A row: {kind, key, label, note, bars, reach, closed, dues, order}; `bars` are indexes by start,
 * `reach[k]` is the latest end of bars 0 to k, so that the first visible one is found by halving.
 */
export function rowsOf(plan, how) {
  if (how.by === "order") return byOrder(plan, how);
  if (how.by === "vehicle") return byVehicle(plan, how);
  return byUnit(plan, how);
}

function byUnit(plan, how) {
  const mine = Array.from({ length: plan.units.length }, () => []);
  for (let i = 0; i < plan.size; i++) if (plan.first[i] === i) mine[plan.at[i]].push(i);
  const dues = duesOf(plan);
  const rows = [];
  const only = how.only ? new Set((plan.ofOrder.get(plan.orderIndex.get(how.only)) ?? []).map((i) => plan.at[i])) : null;
  for (const area of plant.areas) {
    if (how.area && area.id !== how.area) continue;
    for (const line of area.lines) {
      const units = line.units.map((id) => plan.unitIndex.get(id)).filter((u) => u !== undefined && (!only || only.has(u)) && fits(how, unitName(plan.units[u].id), plan.units[u].id));
      if (!units.length) continue;
      const key = `${area.id}/${line.id}`;
      const name = area.lines.length > 1 ? `${areaName(area.id)} · ${label(line.name)}` : areaName(area.id);
      rows.push(head(key, name, n(units.length), how.folded.has(key)));
      if (how.folded.has(key)) continue;
      for (const u of units) {
        const row = withBars({ kind: "unit", key: plan.units[u].id, label: unitName(plan.units[u].id), unit: u, closed: plan.units[u].closed }, mine[u], plan.from, plan.to);
        row.dues = dues.get(u) ?? [];
        rows.push(row);
      }
    }
  }
  return rows;
}

/** Orders whose last task runs on the unit. */
function duesOf(plan) {
  const found = new Map();
  plan.last.forEach((i, order) => {
    if (i < 0) return;
    if (!found.has(plan.at[i])) found.set(plan.at[i], []);
    found.get(plan.at[i]).push(order);
  });
  return found;
}

function byOrder(plan, how) {
  const rows = [];
  const orders = ordersByNeed(plan);
  for (const order of orders) {
    const { id, product, quantity } = plan.orders[order];
    const tasks = plan.ofOrder.get(order);
    if (how.area && !tasks.some((i) => areaOf(plan, i) === how.area)) continue;
    if (!fits(how, id, productName(product), product)) continue;
    const key = `order:${id}`;
    const open = how.opened.has(key);
    rows.push({ ...withBars({ kind: "order", key, label: id, note: quantity ? `${productName(product)} × ${quantity}` : productName(product), order, open }, [], plan.from, plan.to), tasks, dues: [order] });
    if (!open) continue;
    for (const lot of new Set(tasks.map((i) => plan.lot[i]))) {
      const bars = plan.ofLot.get(lot);
      rows.push(withBars({ kind: "lot", key: `lot:${lot}`, label: lot > 0 ? t("unit.lot", { lot }) : t("plan.lot-later"), note: productName(plan.product[bars[0]]), order, lot }, bars, plan.from, plan.to));
    }
  }
  return rows;
}

/** Late ones first, then by due date; what is done already comes last. */
export function ordersByNeed(plan) {
  const done = new Map([...plan.ofOrder].map(([order, tasks]) => [order, tasks.every((i) => plan.state[i] === DONE) ? 1 : 0]));
  return [...plan.ofOrder.keys()].sort((a, b) => done.get(a) - done.get(b) || plan.orders[b].late_s - plan.orders[a].late_s || plan.orders[a].due - plan.orders[b].due);
}

function byVehicle(plan, how) {
  const { vehicle, pickup, drop } = plan.moves;
  const mine = Array.from({ length: plan.vehicles.length }, () => []);
  vehicle.forEach((v, k) => v >= 0 && mine[v].push(k));
  return plan.vehicles
    .map((id, v) => withBars({ kind: "vehicle", key: id, label: unitName(id), vehicle: v }, mine[v], pickup, drop))
    .filter((row) => fits(how, row.label, row.key));
}

const head = (key, name, note, folded) => ({ kind: "head", key, label: name, note, folded, bars: [], reach: [], dues: [], closed: [] });
const fits = (how, ...words) => !how.text || words.join(" ").toLowerCase().includes(how.text);

export function areaOf(plan, i) {
  return plant.units[plant.indexOf.get(plan.units[plan.at[i]].id)]?.area;
}

function withBars(row, list, from, to) {
  const bars = Int32Array.from(list).sort((a, b) => from[a] - from[b]);
  const reach = new Float64Array(bars.length);
  let latest = -Infinity;
  bars.forEach((i, k) => {
    latest = Math.max(latest, to[i]);
    reach[k] = latest;
  });
  return { closed: [], dues: [], ...row, bars, reach };
}

/** The first of the row's bars that ends after `seconds`. */
export function firstAfter(row, seconds) {
  let [low, high] = [0, row.reach.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row.reach[middle] > seconds) high = middle;
    else low = middle + 1;
  }
  return low;
}
