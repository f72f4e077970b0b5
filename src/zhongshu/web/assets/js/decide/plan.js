/** A plan as the page works with it: the document's columns as typed arrays, what became of each task laid over them. */

import { picture } from "../live.js";
import { plant } from "../plant.js";

export const PLANNED = 0;
export const RUNNING = 1;
export const DONE = 2;
const STATES = { planned: PLANNED, running: RUNNING, done: DONE };
const ENDED = { DONE: true, ABORTED: true };

export class Plan {
  /**
   * @param doc the answer of /api/plan/{version}; times in it are plant seconds after origin_ns
   * @param past the answer of /api/plan/past: what is over, and therefore no longer in the document
   */
  constructor(doc, past = null) {
    Object.assign(this, { version: doc.version, status: doc.status, name: doc.name, base: doc.base, edits: doc.edits ?? [] });
    Object.assign(this, { kpis: doc.kpis, cause: doc.cause, orders: [...doc.orders], units: doc.units, vehicles: doc.vehicles, moves: doc.moves });
    this.originMs = doc.origin_ns / 1e6;
    this.madeMs = doc.made_ns / 1e6;
    this.frozenUntil = doc.frozen_until;
    const c = past ? this.withPast(doc.tasks, past) : doc.tasks;
    this.size = c.id.length;
    this.id = c.id;
    this.product = c.product;
    for (const name of ["order", "operation", "unit", "batch"]) this[name] = Int32Array.from(c[name]);
    for (const name of ["lot", "start", "end", "setup"]) this[name] = Float64Array.from(c[name]);
    this.latest = Float64Array.from(c.latest ?? c.start); // plans stored before there was a backward pass know no slack
    for (const name of ["moved", "frozen", "pinned"]) this[name] = Uint8Array.from(c[name]);
    this.state = Uint8Array.from(c.status, (word) => STATES[word] ?? PLANNED);
    this.began = Float64Array.from(c.actual_start, (s) => s ?? NaN);
    this.ended = Float64Array.from(c.actual_end, (s) => s ?? NaN);
    this.at = Int32Array.from(this.unit); // where it really ran, once it did
    this.from = new Float64Array(this.size);
    this.to = new Float64Array(this.size);
    this.share = new Float64Array(this.size).fill(NaN); // progress that the unit itself reports, 0 to 1
    this.indexOf = new Map(this.id.map((id, i) => [id, i]));
    this.unitIndex = new Map(this.units.map((unit, i) => [unit.id, i]));
    this.orderIndex = new Map(this.orders.map((order, i) => [order.id, i]));
    this.stepOf = new Map();
    for (let i = 0; i < this.size; i++) {
      this.stepOf.set(stepKey(this.lot[i], this.operation[i]), i);
      this.span(i);
    }
    this.gather();
  }

  /** The document's columns with those of the past behind them; an order that is done with gets a row without due date. */
  withPast(tasks, past) {
    const known = new Set(tasks.lot.map((lot, i) => stepKey(lot, tasks.operation[i])));
    const units = new Map(this.units.map((unit, u) => [unit.id, u]));
    const orders = new Map(this.orders.map((order, k) => [order.id, k]));
    const c = Object.fromEntries(Object.entries(tasks).map(([name, column]) => [name, column.slice()]));
    past.lot.forEach((lot, k) => {
      const operation = past.operation[k];
      const unit = units.get(past.unit[k]);
      if (known.has(stepKey(lot, operation)) || unit === undefined) return;
      if (!orders.has(past.order[k])) orders.set(past.order[k], this.orders.push({ id: past.order[k], product: past.product[k], quantity: null, weight: 0, due: Infinity, end: NaN, late_s: 0 }) - 1);
      const [began, ended] = [this.seconds(past.actual_start[k]), this.seconds(past.actual_end[k])];
      const start = past.start[k] === null ? began : this.seconds(past.start[k]);
      const end = past.end[k] === null ? ended : this.seconds(past.end[k]);
      const row = { id: `${lot}:past:${operation}`, order: orders.get(past.order[k]), lot, product: past.product[k], operation, unit, start, end, left: end, setup: 0, latest: start, batch: -1, moved: 0, frozen: 0, pinned: 0, status: "done", actual_start: began, actual_end: ended };
      for (const name of Object.keys(c)) c[name].push(row[name]);
    });
    return c;
  }

  /** Seconds after the origin for a moment in plant ms, and back. */
  seconds(ms) {
    return (ms - this.originMs) / 1000;
  }

  ms(seconds) {
    return this.originMs + seconds * 1000;
  }

  isWhatIf() {
    return this.status !== "live";
  }

  /** Where the bar lies: what was measured, else what is planned. */
  span(i) {
    const began = this.began[i];
    this.from[i] = Number.isNaN(began) ? this.start[i] : began;
    const lasts = this.end[i] - this.start[i];
    this.to[i] = !Number.isNaN(this.ended[i]) ? this.ended[i] : Number.isNaN(began) ? this.end[i] : began + lasts;
  }

  /** Indexes that never change: tasks of a lot and of an order by start, batches, each order's last task. */
  gather() {
    this.ofLot = groups(this.lot, this.size);
    this.ofOrder = groups(this.order, this.size);
    for (const list of [...this.ofLot.values(), ...this.ofOrder.values()]) list.sort((a, b) => this.start[a] - this.start[b]);
    this.last = new Int32Array(this.orders.length).fill(-1);
    for (const [order, list] of this.ofOrder) this.last[order] = list.reduce((a, b) => (this.end[b] > this.end[a] ? b : a));
    this.members = new Map(); // first task of a batch → all of them
    this.first = Int32Array.from({ length: this.size }, (_, i) => i);
    const batches = new Map();
    for (let i = 0; i < this.size; i++) {
      if (this.batch[i] < 0) continue;
      const key = this.unit[i] * 1e6 + this.batch[i];
      if (!batches.has(key)) batches.set(key, []);
      batches.get(key).push(i);
    }
    for (const list of batches.values()) {
      if (list.length < 2) continue;
      this.members.set(list[0], list);
      for (const i of list) this.first[i] = list[0];
    }
  }

  /** Lay over it what units said since: rows of /api/plan/now. True where something changed. */
  take(rows) {
    let changed = false;
    for (const [lot, operation, unit, startMs, endMs, state] of rows) {
      const i = this.stepOf.get(stepKey(lot, operation));
      if (i === undefined || !startMs) continue;
      const ended = Boolean(ENDED[state]);
      this.began[i] = this.seconds(startMs);
      this.ended[i] = ended && endMs ? this.seconds(endMs) : NaN;
      this.state[i] = ended ? DONE : RUNNING;
      this.at[i] = this.unitIndex.get(unit) ?? this.at[i];
      this.span(i);
      changed = true;
    }
    return changed;
  }

  /** Progress of what runs now, from the live rows of the units. */
  watch() {
    this.units.forEach((unit, u) => {
      const row = picture.units[plant.indexOf.get(unit.id)];
      unit.row = row;
      if (!row?.[3] || row[2] < 0) return;
      for (const i of this.ofLot.get(row[3]) ?? []) if (this.state[i] === RUNNING && this.at[i] === u) this.share[i] = row[2] / 100;
    });
  }

  /** Done part of a running task at `now`, 0 to 1. */
  progress(i, now) {
    if (this.state[i] === DONE) return 1;
    if (this.state[i] === PLANNED) return 0;
    if (!Number.isNaN(this.share[i])) return this.share[i];
    return Math.min(0.98, Math.max(0, (now - this.from[i]) / Math.max(1, this.to[i] - this.from[i])));
  }

  /** True for a task that ends after its order is due. */
  isLate(i) {
    const order = this.orders[this.order[i]];
    return order.late_s > 0 && this.end[i] > order.due;
  }

  /** True where a person may still move it. */
  isFree(i, now) {
    return this.state[i] === PLANNED && !this.frozen[i] && this.start[i] > now;
  }

  /** The task before and after it on the same lot, -1 for none. */
  neighbours(i) {
    const list = this.ofLot.get(this.lot[i]);
    const at = list.indexOf(i);
    return [list[at - 1] ?? -1, list[at + 1] ?? -1];
  }
}

/** Lots that are not released yet have numbers far below 0: too large to be put together with another into one number. */
const stepKey = (lot, operation) => `${lot}:${operation}`;

function groups(column, size) {
  const found = new Map();
  for (let i = 0; i < size; i++) {
    const key = column[i];
    if (found.has(key)) found.get(key).push(i);
    else found.set(key, [i]);
  }
  return found;
}
