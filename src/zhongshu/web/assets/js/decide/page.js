/** Decide: the plan as a chart and a table, what may be tried with it, and why an order is late; the address holds the view. */

import { byId, h, mark, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { n, t } from "../words.js";
import { ask, get } from "./ask.js";
import { Card } from "./card.js";
import { loadAbilities } from "./check.js";
import { Chosen } from "./chosen.js";
import { Edits } from "./edits.js";
import { startGantt } from "./gantt.js";
import { legend } from "./legend.js";
import { Phone } from "./phone.js";
import { Plan } from "./plan.js";
import { startQuote } from "./quote.js";
import { TaskTable } from "./table.js";
import { Tools } from "./tools.js";
import { Versions, replan, titleOf } from "./versions.js";

const POLL_MS = 2000;
const PHONE_MS = 10_000;
const ADDRESS_MS = 300;

export function start() {
  const began = () => (picture.ready ? new Desk().begin() : setTimeout(began, 50));
  began();
}

class Desk {
  constructor() {
    this.plan = null;
    this.rows = [];
    this.planner = "";
    this.wanted = "live";
    this.cursor = 0;
    this.progress = new Map(); // newest row of each task, to be laid over whichever plan is looked at
    this.chosenNow = { task: -1, order: -1, unit: -1 };
    this.gantt = startGantt();
    this.gantt.editable = false;
    this.edits = new Edits(this);
    this.versions = new Versions(this);
    this.chosen = new Chosen(this);
    this.table = new TaskTable(this);
    this.phone = new Phone(this);
    this.tools = new Tools(this);
    new Card(this.gantt, byId("tip"));
  }

  async begin() {
    legend(byId("gantt-legend"));
    startQuote();
    loadAbilities().catch(() => {});
    const on = (name, act) => this.gantt.addEventListener(name, (event) => act(event.detail));
    on("choose", (what) => this.choose(what));
    on("drop", (ghost) => this.dropped(ghost));
    on("fold", ({ row }) => this.fold(row));
    on("key", ({ key, task }) => (key === "p" ? this.edits.pin(task) : this.edits.move(task)));
    on("moved", () => this.remember());
    this.tools.fromAddress();
    this.state("loading");
    await this.refresh();
    await this.look(this.tools.wanted ?? "live");
    this.tools.afterLoad();
    setInterval(() => document.hidden || this.poll(), POLL_MS);
    setInterval(() => this.phone.show(), PHONE_MS);
    onFrame((frame) => frame.k === "s" && this.poll());
  }

  /** The list of plans and whether the planner runs. */
  async refresh() {
    try {
      const found = await get("/api/plan");
      this.rows = found.plans;
      this.planner = found.planner;
    } catch (error) {
      this.state("error", error);
    }
    this.list();
  }

  list() {
    this.versions.show(this.rows, this.plan);
    this.notice();
    if (this.plan) replan(this.plan, this.rows);
  }

  /** Look at a version, or at the live one whichever that is. */
  async look(which) {
    this.wanted = which;
    const known = this.rows.some((row) => (which === "live" ? row.status === "live" : row.version === which));
    if (!known && which !== "live") return this.look("live");
    if (!known && this.planner) return this.state("empty"); // the list was read and has none
    byId("gantt-view").setAttribute("aria-busy", "true");
    try {
      const [doc, past] = await Promise.all([get(`/api/plan/${which}`), get("/api/plan/past").catch(() => null)]);
      if (this.wanted === which) this.show(new Plan(doc, past));
    } catch (error) {
      if (error.status === 404 && which !== "live") return this.look("live");
      if (error.status === 404) this.state("empty");
      else this.state("error", error);
    } finally {
      byId("gantt-view").removeAttribute("aria-busy");
    }
  }

  show(plan) {
    const [task, order] = [this.plan?.id[this.chosenNow.task], this.plan?.orders[this.chosenNow.order]?.id];
    plan.take(this.progress.values());
    this.plan = plan;
    this.gantt.editable = plan.status === "live" || plan.status === "scenario";
    this.state("plan");
    this.gantt.show(plan);
    this.tools.orders(plan);
    this.choose({ task: plan.indexOf.get(task) ?? -1, order: plan.orderIndex.get(order) ?? -1 });
    this.table.refresh();
    this.phone.show();
    this.list();
    this.remember();
  }

  /** What changed: another live plan, what-ifs come and gone, tasks that moved on. */
  async poll() {
    let found;
    try {
      found = await get(`/api/plan/now?since=${this.cursor}`);
    } catch {
      return; // the live channel says that the server is away
    }
    this.cursor = found.cursor;
    for (const row of found.tasks) this.progress.set(`${row[0]}:${row[1]}`, row);
    const listed = JSON.stringify(this.rows.map((row) => [row.version, row.status, row.made_ns, row.name]));
    const changed = JSON.stringify(found.plans) !== listed || found.planner !== this.planner;
    if (changed) await this.refresh();
    const mine = found.plans.find(([version, status]) => (this.wanted === "live" ? status === "live" : version === this.wanted));
    if (!mine && this.wanted !== "live") await this.look("live");
    else if (mine && (mine[0] !== this.plan?.version || mine[1] !== this.plan?.status || mine[2] / 1e6 !== this.plan?.madeMs)) await this.look(this.wanted);
    else if (this.plan && found.tasks.length && this.plan.take(found.tasks)) {
      this.gantt.arrange();
      this.table.paint();
    }
  }

  /** Choose a task, an order or a unit; `go` brings it into sight. */
  choose({ task = -1, order = -1, unit = -1, row = "", go = false }) {
    this.chosenNow = { task, order, unit };
    const { how } = this.gantt;
    if (this.plan && how.only && how.only !== this.plan.orders[order]?.id) {
      how.only = "";
      this.gantt.arrange();
    }
    this.gantt.choose({ task, order, row });
    if (!this.plan) return;
    this.chosen.show(this.chosenNow);
    this.table.paint();
    if (go) this.gantt.reveal(task >= 0 ? task : this.firstOpen(order));
    this.remember();
  }

  /** The task of an order that comes to pass next. */
  firstOpen(order) {
    const tasks = this.plan.ofOrder.get(order) ?? [];
    return tasks.find((i) => this.plan.state[i] !== 2) ?? tasks.at(-1) ?? -1;
  }

  fold(row) {
    const { how } = this.gantt;
    const set = row.kind === "head" ? how.folded : how.opened;
    if (set.has(row.key)) set.delete(row.key);
    else set.add(row.key);
    this.gantt.arrange();
  }

  dropped({ task, unit, start, verdict }) {
    this.choose({ task, order: this.plan.order[task] });
    if (verdict.level === "no") this.edits.fail(new Error(verdict.reasons.join(" · ")), t("edit.cannot"));
    else this.edits.place_(task, unit, start);
  }

  /** What the middle of the page shows: loading, plan, empty or error. */
  state(name, error = null) {
    mark(byId("zs"), "data-plan", name);
    byId("gantt").hidden = name !== "plan" && !this.plan;
    const place = byId("plan-state");
    place.hidden = name === "plan" || Boolean(this.plan);
    if (place.hidden) return;
    const solve = name === "empty" && this.planner === "up" ? h("button", { class: "plain primary", type: "button", text: t("plan.solve"), onclick: () => this.solve() }) : "";
    const why = name === "empty" ? t(`plan.empty-${this.planner === "up" ? "up" : "absent"}`) : error ? t("plan.error-why", { why: error.message }) : "";
    place.replaceChildren(name === "loading" ? h("span", { class: "d-spin", "aria-hidden": "true" }) : "", h("b", { text: t(`plan.${name}`) }), h("p", { text: why }), solve);
  }

  async solve() {
    try {
      await ask({ what: "solve" });
      await this.refresh();
      await this.look("live");
    } catch (error) {
      this.edits.fail(error, t("plan.solve"));
    }
  }

  /** One line above the chart where something is not as usual. */
  notice() {
    const place = byId("plan-notice");
    const row = this.plan && this.rows.find((r) => r.version === this.plan.version);
    const texts = [];
    if (this.plan?.status === "scenario") texts.push(["what-if", t("plan.is-what-if", { name: titleOf(this.plan), n: n(this.plan.edits.filter((e) => e.kind !== "name").length) })]);
    if (this.plan?.status === "superseded") texts.push(["what-if", t("plan.is-old", { n: this.plan.version })]);
    if (this.planner && this.planner !== "up" && this.plan) texts.push(["warn", `▲ ${t(`plan.planner-${this.planner}`)}`]);
    place.hidden = !texts.length;
    place.replaceChildren(...texts.map(([kind, text]) => h("span", { "data-kind": kind, text })));
    mark(byId("zs"), "data-what-if", this.plan?.isWhatIf() ? "1" : null);
    put(byId("plan-made"), row ? t("plan.made", { n: row.version, orders: n(row.kpis.orders ?? this.plan.orders.length), tasks: n(row.kpis.tasks ?? this.plan.size) }) : "");
  }

  /** Keep the view in the address, not more often than a browser likes. */
  remember() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tools.toAddress(), ADDRESS_MS);
    this.tools.mark();
  }
}

