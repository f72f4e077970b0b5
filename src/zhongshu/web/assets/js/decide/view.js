/** Which part of the plan is on the screen: time across, rows down; pixels to seconds and back. */

export const SPANS = { hour: 2 * 3600, shift: 6 * 3600, day: 26 * 3600 };
const LEAST_S = 300;
const MOST_S = 14 * 86400;

export class View {
  constructor() {
    Object.assign(this, { t0: 0, span: SPANS.shift, top: 0, width: 800, height: 400, gutter: 130, axis: 30, row: 25, rows: 0 });
    this.scale = 1; // height of a row against the usual one
  }

  get plot() {
    return Math.max(10, this.width - this.gutter);
  }

  x(seconds) {
    return this.gutter + ((seconds - this.t0) / this.span) * this.plot;
  }

  t(x) {
    return this.t0 + ((x - this.gutter) / this.plot) * this.span;
  }

  y(row) {
    return this.axis + row * this.row - this.top;
  }

  rowAt(y) {
    return y < this.axis ? -1 : Math.floor((y - this.axis + this.top) / this.row);
  }

  get end() {
    return this.t0 + this.span;
  }

  get deepest() {
    return Math.max(0, this.rows * this.row - (this.height - this.axis) + this.row * 0.5);
  }

  pan(dx, dy) {
    this.t0 -= (dx / this.plot) * this.span;
    this.top = Math.min(this.deepest, Math.max(0, this.top - dy));
  }

  /** Zoom by a factor, keeping the time under `x` where it is. */
  zoom(factor, x = this.gutter + this.plot / 2) {
    const at = this.t(x);
    const span = Math.min(MOST_S, Math.max(LEAST_S, this.span * factor));
    this.t0 = at - ((x - this.gutter) / this.plot) * span;
    this.span = span;
  }

  /** Show `span` seconds with `at` a good quarter from the left. */
  show(at, span = this.span) {
    this.span = span;
    this.t0 = at - span * 0.28;
  }

  /** Bring a row and a time into sight, moving no more than needed. */
  reveal(row, from, to) {
    const y = row * this.row;
    const high = this.height - this.axis - this.row;
    if (y < this.top) this.top = Math.max(0, y - this.row);
    else if (y > this.top + high) this.top = Math.min(this.deepest, y - high + this.row);
    const edge = this.span * 0.05;
    if (from < this.t0 + edge || from > this.end - edge) this.t0 = from - this.span * 0.3;
    else if (to > this.end - edge && to - from < this.span * 0.6) this.t0 = to - this.span * 0.9;
  }

  clamp() {
    this.top = Math.min(this.deepest, Math.max(0, this.top));
  }
}
