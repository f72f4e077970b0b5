/** Pointer, wheel and fingers on the chart: pan, zoom, pinch, point, choose, and drag a task that may still move. */

import { check } from "./check.js";
import { barAt } from "./links.js";

const MOVED_LEAST = 4;
const SLACK_PX = 3;
const SNAP_S = 60;
const SNAP_PX = 7;
const WHEEL_ZOOM = 0.0016;

export class Hand {
  constructor(gantt) {
    this.g = gantt;
    this.fingers = new Map();
    this.busy = false;
    this.grip = null;
    const on = (name, act, options) => gantt.canvas.addEventListener(name, act, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", () => this.drop());
    on("pointerleave", () => this.fingers.size || this.hover(null));
    on("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Row, bar and time under a place on the canvas. */
  at(x, y) {
    const { view, rows, plan } = this.g;
    const r = view.rowAt(y);
    const row = rows[r];
    if (!row) return { r: -1, row: null, task: -1, move: -1 };
    const found = { r, row, task: -1, move: -1, label: x < view.gutter };
    if (found.label || row.kind === "head" || row.kind === "order") return found;
    const slack = (SLACK_PX / view.plot) * view.span;
    const { pickup, drop } = plan.moves;
    if (row.kind === "vehicle") found.move = barAt(row, pickup, drop, view.t(x), slack);
    else found.task = barAt(row, plan.from, plan.to, view.t(x), slack);
    const at = view.t(x);
    if (found.task < 0) found.closed = row.closed.find(([from, to]) => from <= at && at < to);
    return found;
  }

  place(event) {
    const box = this.g.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (!this.g.plan || event.button > 1) return;
    const [x, y] = this.place(event);
    this.g.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, [x, y]);
    this.hover(null);
    if (this.fingers.size === 2) {
      this.grip = { kind: "pinch", apart: this.apart() };
      this.g.look.ghost = null;
      return;
    }
    const spot = this.at(x, y);
    const movable = event.pointerType !== "touch" && event.button === 0 && spot.task >= 0 && this.movable(spot.task);
    this.grip = { kind: "press", x, y, fromX: x, fromY: y, spot, movable, hold: movable ? this.g.view.t(x) - this.g.plan.start[spot.task] : 0 };
  }

  /** Only the version that is looked at can be changed, and of it what is neither begun nor frozen nor an oven load. */
  movable(i) {
    const { plan } = this.g;
    return this.g.editable && plan.isFree(i, this.g.now()) && !plan.members.has(i);
  }

  move(event) {
    const [x, y] = this.place(event);
    if (!this.fingers.has(event.pointerId)) {
      this.hover([x, y]);
      return;
    }
    this.fingers.set(event.pointerId, [x, y]);
    const grip = this.grip;
    if (!grip) return;
    if (grip.kind === "pinch") return this.pinch();
    if (grip.kind === "press" && Math.hypot(x - grip.fromX, y - grip.fromY) < MOVED_LEAST) return;
    if (grip.kind === "press") grip.kind = grip.movable ? "task" : "pan";
    this.busy = true;
    if (grip.kind === "task") this.ghost(x, y);
    else {
      this.g.canvas.style.cursor = "grabbing";
      this.g.view.pan(x - grip.x, y - grip.y);
      this.g.moved();
    }
    [grip.x, grip.y] = [x, y];
  }

  ghost(x, y) {
    const { view, rows, plan, look } = this.g;
    const { spot, hold } = this.grip;
    const r = Math.min(rows.length - 1, Math.max(0, view.rowAt(y)));
    const onUnit = rows[r]?.kind === "unit";
    const target = onUnit ? r : (look.ghost?.row ?? spot.r);
    const unit = this.g.how.by === "unit" && onUnit ? rows[target].unit : (look.ghost?.unit ?? plan.unit[spot.task]);
    const start = this.snapped(view.t(x) - hold, rows[target], spot.task);
    look.ghost = { task: spot.task, unit, row: target, start, verdict: check(plan, spot.task, unit, start, this.unitRow(unit, rows[target]), look.now) };
    this.g.canvas.style.cursor = look.ghost.verdict.level === "no" ? "not-allowed" : "grabbing";
    this.edge(x, y);
    this.g.draw();
  }

  /** Near the border the chart comes to meet the hand. */
  edge(x, y) {
    const { view } = this.g;
    const near = 26;
    const dx = x > view.width - near ? -7 : x < view.gutter + near ? 7 : 0;
    const dy = y > view.height - near ? -7 : y < view.axis + near ? 7 : 0;
    if (dx || dy) view.pan(dx, dy);
  }

  unitRow(unit, row) {
    return row.unit === unit ? row : (this.g.rows.find((r) => r.kind === "unit" && r.unit === unit) ?? { bars: [], reach: [] });
  }

  /** To the end of what lies before it where that is close, else to the whole minute. */
  snapped(start, row, task) {
    const { view, plan } = this.g;
    const near = (SNAP_PX / view.plot) * view.span;
    for (const i of row?.bars ?? []) {
      if (i !== task && Math.abs(plan.to[i] + plan.setup[task] - start) < near) return Math.ceil(plan.to[i] + plan.setup[task]);
      if (plan.from[i] > start + near) break;
    }
    return Math.round(start / SNAP_S) * SNAP_S;
  }

  apart() {
    const [[ax, ay], [bx, by]] = [...this.fingers.values()];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, d: Math.max(20, Math.hypot(ax - bx, ay - by)) };
  }

  pinch() {
    if (this.fingers.size < 2) return;
    this.busy = true;
    const [before, now] = [this.grip.apart, this.apart()];
    this.g.view.pan(now.x - before.x, now.y - before.y);
    this.g.view.zoom(before.d / now.d, now.x);
    this.grip.apart = now;
    this.g.moved();
  }

  up(event) {
    const grip = this.grip;
    this.fingers.delete(event.pointerId);
    if (this.fingers.size) {
      this.grip = null;
      return;
    }
    if (grip?.kind === "press") this.click(grip);
    if (grip?.kind === "task" && this.g.look.ghost) this.g.tell("drop", { ...this.g.look.ghost });
    this.drop();
  }

  /** Let go without a word: after an escape, or when the browser takes the pointer away. */
  drop() {
    this.grip = null;
    this.busy = false;
    this.fingers.clear();
    this.g.look.ghost = null;
    this.g.canvas.style.cursor = "";
    this.g.draw();
  }

  click({ spot, fromX: x, fromY: y }) {
    const { row, task, move, label } = spot;
    const { plan } = this.g;
    if (!row) return this.g.tell("choose", {});
    if (row.kind === "head" || (row.kind === "order" && label)) this.g.tell("fold", { row });
    if (row.kind === "order") this.g.tell("choose", { order: row.order });
    else if (task >= 0) this.g.tell("choose", { task, order: plan.order[task], x, y });
    else if (move >= 0) this.g.tell("choose", { order: plan.moves.order[move] });
    else if (row.kind === "unit" && label) this.g.tell("choose", { unit: row.unit, row: row.key });
    else if (row.kind === "lot") this.g.tell("choose", { order: row.order });
    else if (row.kind !== "head") this.g.tell("choose", {});
  }

  hover(place) {
    const spot = place && this.g.plan ? this.at(...place) : null;
    const task = spot?.task ?? -1;
    if (task !== this.g.look.hovered) {
      this.g.look.hovered = task;
      this.g.draw();
    }
    const hand = spot && (task >= 0 || spot.move >= 0 || spot.label || spot.row?.kind === "head" || spot.row?.kind === "order");
    this.g.canvas.style.cursor = task >= 0 && this.movable(task) ? "grab" : hand ? "pointer" : "";
    this.g.tell("hover", { spot, x: place?.[0] ?? 0, y: place?.[1] ?? 0 });
  }

  wheel(event) {
    if (!this.g.plan) return;
    event.preventDefault();
    const [x, y] = this.place(event);
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? this.g.view.height : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey || event.metaKey || y < this.g.view.axis) this.g.view.zoom(Math.exp(dy * WHEEL_ZOOM * (event.ctrlKey && Math.abs(dy) < 30 ? 5 : 1)), Math.max(x, this.g.view.gutter));
    else if (event.shiftKey) this.g.view.pan(-(dx || dy), 0);
    else this.g.view.pan(-dx, -dy);
    this.hover(null);
    this.g.moved();
  }
}
