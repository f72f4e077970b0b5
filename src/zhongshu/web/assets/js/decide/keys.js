/** The chart by keyboard: arrows walk from task to task (with Shift they move the chart), + and - zoom, Home is now. */

const ZOOM = 1.4;
const STEP = 0.15;

export class Keys {
  constructor(gantt) {
    this.g = gantt;
    gantt.canvas.addEventListener("keydown", (event) => this.press(event));
    gantt.canvas.addEventListener("blur", () => this.leave());
  }

  press(event) {
    if (!this.g.plan || event.altKey || event.metaKey) return;
    const { view } = this.g;
    const pan = event.shiftKey || event.ctrlKey;
    const acts = {
      ArrowLeft: () => (pan ? view.pan(view.plot * STEP, 0) : this.along(-1)),
      ArrowRight: () => (pan ? view.pan(-view.plot * STEP, 0) : this.along(1)),
      ArrowUp: () => (pan ? view.pan(0, view.row * 3) : this.across(-1)),
      ArrowDown: () => (pan ? view.pan(0, -view.row * 3) : this.across(1)),
      PageUp: () => view.pan(0, view.height - view.axis - view.row),
      PageDown: () => view.pan(0, -(view.height - view.axis - view.row)),
      "+": () => view.zoom(1 / ZOOM),
      "=": () => view.zoom(1 / ZOOM),
      "-": () => view.zoom(ZOOM),
      Home: () => view.show(this.g.now()),
      Enter: () => this.enter(),
      " ": () => this.enter(),
      Escape: () => this.escape(),
    };
    const act = acts[event.key];
    if (!act) {
      if (!event.ctrlKey && this.g.look.cursor >= 0 && /^[pm]$/i.test(event.key)) this.g.tell("key", { key: event.key.toLowerCase(), task: this.g.look.cursor });
      return;
    }
    event.preventDefault();
    act();
    this.g.moved();
  }

  /** The next task of the row; the first press takes the one nearest to now. */
  along(way) {
    const { look, rows } = this.g;
    if (look.cursor < 0) return this.begin();
    const r = look.rowOf.get(look.cursor);
    const bars = rows[r]?.bars;
    if (!bars) return this.begin();
    const k = bars.indexOf(look.cursor);
    this.to(bars[Math.min(bars.length - 1, Math.max(0, k + way))], r);
  }

  /** The task nearest in time in the next row that has any. */
  across(way) {
    const { look, rows } = this.g;
    if (look.cursor < 0) return this.begin();
    const from = look.rowOf.get(look.cursor) ?? 0;
    for (let r = from + way; r >= 0 && r < rows.length; r += way) {
      if (!rows[r].bars.length || rows[r].kind === "vehicle") continue;
      this.to(this.nearest(rows[r], this.g.plan.from[look.cursor]), r);
      return;
    }
  }

  begin() {
    const { rows, view } = this.g;
    for (let r = Math.max(0, Math.floor(view.top / view.row)); r < rows.length; r++) {
      if (!rows[r].bars.length || rows[r].kind === "vehicle") continue;
      this.to(this.nearest(rows[r], this.g.now()), r);
      return;
    }
  }

  nearest(row, seconds) {
    const { from } = this.g.plan;
    return row.bars.reduce((a, b) => (Math.abs(from[b] - seconds) < Math.abs(from[a] - seconds) ? b : a));
  }

  to(i, r) {
    const { look, plan, view } = this.g;
    look.cursor = i;
    view.reveal(r, plan.from[i], plan.to[i]);
    this.g.tell("cursor", { task: i });
  }

  enter() {
    const { look, plan } = this.g;
    if (look.cursor >= 0) this.g.tell("choose", { task: look.cursor, order: plan.order[look.cursor] });
  }

  escape() {
    if (this.g.look.ghost) this.g.hand.drop();
    else {
      this.g.look.cursor = -1;
      this.g.tell("cursor", { task: -1 });
      this.g.tell("choose", {});
    }
  }

  leave() {
    this.g.look.cursor = -1;
    this.g.tell("cursor", { task: -1 });
    this.g.draw();
  }
}
