/** The chart: one canvas that shows a plan, is moved and zoomed by pointer, wheel, fingers and keys, and tells what was chosen. */

import { byId, mark } from "../dom.js";
import { isLive, picture, plantNow } from "../live.js";
import { plant } from "../plant.js";
import { zoneAhead } from "./axis.js";
import { hatchings } from "./closed.js";
import { drawChart } from "./draw.js";
import { Hand } from "./hand.js";
import { Keys } from "./keys.js";
import { rowOfTask } from "./links.js";
import { colours } from "./paint.js";
import { rowsOf } from "./rows.js";
import { View } from "./view.js";

const TICK_MS = 500;
const SCALES = [1, 0.62, 0.3];

export class Gantt extends EventTarget {
  /** Tells `choose` {task, order, unit}, `drop` {task, unit, start}, `fold` {row}, `hover` {task, row, x, y}, `moved`. */
  constructor(canvas, holder) {
    super();
    this.canvas = canvas;
    this.holder = holder;
    this.view = new View();
    this.plan = null;
    this.rows = [];
    this.how = { by: "unit", area: "", text: "", only: "", folded: new Set(), opened: new Set() };
    this.look = { c: colours(), rem: 16, now: 0, chosen: { task: -1, order: -1, row: "" }, hovered: -1, cursor: -1, ghost: null, originMs: 0, ahead: 0, by: "unit" };
    this.density = 0;
    this.waiting = false;
    this.painted = { ms: 0, bars: 0 };
    new ResizeObserver(() => this.fit()).observe(holder);
    window.addEventListener("zs-theme", () => this.themed());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.themed());
    this.hand = new Hand(this);
    this.keys = new Keys(this);
    canvas.gantt = this; // for whoever measures it
    setInterval(() => this.tick(), TICK_MS);
    this.fit();
  }

  /** Show another plan, or the same one anew; the part in sight stays. */
  show(plan) {
    const before = this.plan;
    if (before) this.hand.drop(); // what is in the hand belongs to the plan of before
    this.plan = plan;
    this.look.originMs = plan.originMs;
    this.look.ahead = zoneAhead(plan.originMs);
    if (before) this.view.t0 += (before.originMs - plan.originMs) / 1000;
    Object.assign(this.look, { hovered: -1, cursor: -1, ghost: null });
    this.look.now = this.now();
    if (!before) this.view.show(this.look.now);
    this.arrange();
  }

  /** Make the rows anew: another grouping, another filter, or tasks that ran elsewhere. */
  arrange() {
    if (!this.plan) return;
    this.plan.watch();
    this.rows = rowsOf(this.plan, this.how);
    this.look.by = this.how.by;
    this.look.rowOf = rowOfTask(this.plan, this.rows);
    this.view.rows = this.rows.length;
    this.view.clamp();
    mark(this.canvas, "data-rows", this.rows.length);
    mark(this.canvas, "data-tasks", this.plan.size);
    this.draw();
  }

  now() {
    return this.plan ? this.plan.seconds(isLive() ? plantNow(plant.speed) : picture.plantMs) : 0;
  }

  tick() {
    if (!this.plan || document.hidden || this.hand.busy) return;
    this.plan.watch();
    this.draw();
  }

  themed() {
    this.look.c = colours();
    this.hatch();
    this.draw();
  }

  hatch() {
    this.look.hatch = hatchings(this.context, this.look.c, this.ratio, this.look.rem);
  }

  fit() {
    const box = this.holder.getBoundingClientRect();
    if (box.width < 20 || box.height < 20) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.look.rem = rem;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(box.width * this.ratio);
    this.canvas.height = Math.round(box.height * this.ratio);
    Object.assign(this.view, { width: box.width, height: box.height, gutter: Math.min(9.8 * rem, box.width * 0.28), axis: 1.9 * rem });
    this.view.row = 1.56 * rem * SCALES[this.density];
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.view.clamp();
    this.hatch();
    this.paint();
  }

  /** Lower rows, so that more of the plant is in sight; and back. */
  denser() {
    const middle = (this.view.top + (this.view.height - this.view.axis) / 2) / this.view.row;
    this.density = (this.density + 1) % SCALES.length;
    this.view.row = 1.56 * this.look.rem * SCALES[this.density];
    this.view.top = middle * this.view.row - (this.view.height - this.view.axis) / 2;
    this.view.clamp();
    this.draw();
  }

  /** Paint at the next frame of the screen, once, however often it is asked for. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    if (!this.plan || !this.context) return;
    const began = performance.now();
    this.look.now = this.now();
    const bars = drawChart(this.context, this.plan, this.rows, this.view, this.look);
    this.painted = { ms: performance.now() - began, bars };
    mark(this.canvas, "data-bars", bars);
    this.dispatchEvent(new Event("painted"));
  }

  /** Tell whoever shows the part in sight (address, buttons), and paint. */
  moved() {
    this.draw();
    this.dispatchEvent(new Event("moved"));
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Mark a task, an order or a row as chosen; nothing where all are -1 or empty. */
  choose({ task = -1, order = -1, row = "" }) {
    this.look.chosen = { task, order, row };
    this.draw();
  }

  /** Bring a task into sight, unfolding its group. */
  reveal(i) {
    if (i < 0 || !this.plan) return;
    let r = this.look.rowOf.get(i);
    if (r === undefined && this.unfold(i)) r = this.look.rowOf.get(i);
    this.view.reveal(r ?? 0, this.plan.from[i], this.plan.to[i]);
    this.moved();
  }

  unfold(i) {
    if (this.how.by === "order") this.how.opened.add(`order:${this.plan.orders[this.plan.order[i]].id}`);
    else if (this.how.by === "unit") {
      const unit = plant.units[plant.indexOf.get(this.plan.units[this.plan.at[i]].id)];
      this.how.folded.delete(`${unit?.area}/${unit?.line}`);
      if (this.how.area && unit?.area !== this.how.area) return false;
    } else return false;
    this.arrange();
    return true;
  }

  /** Jump so that the now-line stands a good quarter from the left. */
  toNow(span = this.view.span) {
    this.view.show(this.now(), span);
    this.moved();
  }

  zoom(factor, x) {
    this.view.zoom(factor, x);
    this.moved();
  }
}

export const startGantt = () => new Gantt(byId("gantt"), byId("gantt-view"));
