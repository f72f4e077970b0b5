/** Plans side by side: tabs for the live one and the what-ifs, release with its difference, undo, and the table of figures. */

import { byId, h, mark, put } from "../dom.js";
import { unitName } from "../plant.js";
import { moment, n, t } from "../words.js";
import { ask, get } from "./ask.js";
import { inquire, personField } from "./dialog.js";
import { operationName } from "./draw.js";
import { Plan } from "./plan.js";

const LISTED = 300;
const COMPARED = 3;
const SAME_S = 60;
const minutes = (s) => t("unit.min", { n: n(s / 60) });
const hours = (s) => t("unit.h", { n: n(s / 3600, 1) });
const FIGURES = [
  { key: "on_time_pct", best: Math.max, text: (v) => `${n(v, 1)} %` },
  { key: "late", best: Math.min, text: (v) => n(v) },
  { key: "weighted_tardiness_s", best: Math.min, text: minutes },
  { key: "setups", best: Math.min, text: (v) => n(v) },
  { key: "setup_s", best: Math.min, text: hours },
  { key: "energy_cost", best: Math.min, text: (v) => n(v) },
  { key: "moved", best: Math.min, text: (v) => n(v) },
];

/** How a plan is called on a tab. */
export const titleOf = (row) => (row.status === "live" ? t("version.live", { n: row.version }) : row.status === "scenario" ? t("version.what-if", { name: row.name || `v${row.version}` }) : t("version.old", { n: row.version }));

export class Versions {
  constructor(desk) {
    this.desk = desk;
    byId("release").onclick = () => this.release();
    byId("undo").onclick = () => this.undo();
    byId("new-what-if").onclick = () => desk.edits.begin();
  }

  show(rows, plan) {
    this.rows = rows;
    const shown = rows.filter((row) => row.status !== "superseded" || row.version === plan?.version).sort((a, b) => (a.status === "live" ? -1 : b.status === "live" ? 1 : a.version - b.version));
    byId("tabs").replaceChildren(...shown.map((row) => this.tab(row, plan)));
    const onWhatIf = Boolean(plan) && plan.status === "scenario";
    byId("release").disabled = !onWhatIf;
    byId("undo").hidden = onWhatIf || !rows.some((row) => row.status === "superseded");
    byId("new-what-if").disabled = !plan;
    this.compare(rows, plan);
  }

  tab(row, plan) {
    const here = row.version === plan?.version;
    const open = h("button", { class: "plain", type: "button", "aria-current": here ? "true" : null, text: titleOf(row), onclick: () => this.desk.look(row.status === "live" ? "live" : row.version) });
    if (row.status !== "scenario" || !here) return open;
    const away = h("button", { class: "plain d-away", type: "button", "aria-label": t("version.discard", { name: titleOf(row) }), title: t("version.discard", { name: titleOf(row) }), text: "×", onclick: () => this.discard(row) });
    return h("span", { class: "d-pair" }, open, away);
  }

  /** Figures of the live plan and up to two others; the better one bold where they differ. */
  compare(rows, plan) {
    const live = rows.find((row) => row.status === "live");
    const others = rows.filter((row) => row.status === "scenario");
    const viewed = others.find((row) => row.version === plan?.version);
    const columns = [live, viewed, ...others.filter((row) => row !== viewed)].filter(Boolean).slice(0, COMPARED);
    const place = byId("compare");
    if (columns.length < 2) return place.replaceChildren(h("p", { class: "none", text: t("version.alone") }));
    const head = h("tr", {}, h("th", { scope: "col" }), ...columns.map((row) => h("th", { scope: "col", class: "num", text: row.status === "live" ? t("version.live-short") : row.name || `v${row.version}` })));
    const lines = FIGURES.map(({ key, best, text }) => {
      const values = columns.map((row) => row.kpis[key]);
      const known = values.filter((v) => typeof v === "number");
      const top = known.length ? best(...known) : null;
      const differ = new Set(known).size > 1;
      const cells = values.map((v) => h("td", { class: "num" }, typeof v === "number" ? h(differ && v === top ? "b" : "span", { text: text(v) }) : "–"));
      return h("tr", {}, h("th", { scope: "row", text: t(`kpi.${key}`) }), ...cells);
    });
    return place.replaceChildren(h("table", { class: "d-figures", "aria-label": t("version.compare") }, h("thead", {}, head), h("tbody", {}, ...lines)));
  }

  async discard(row) {
    const sure = await inquire({ title: t("version.discard-title", { name: titleOf(row) }), confirm: t("version.discard-it"), danger: true });
    if (!sure) return;
    await this.change({ what: "discard", version: row.version }, () => this.desk.look("live"));
  }

  /** First the list of what would move, then a name and the word to do it. */
  async release() {
    const { plan } = this.desk;
    const live = new Plan(await get("/api/plan/live"));
    const found = difference(live, plan);
    const given = await inquire({
      title: t("version.release-title", { name: titleOf(plan) }),
      note: t("version.release-note", { n: n(found.length), all: n(plan.size), from: `v${live.version}`, to: `v${plan.version}` }),
      content: differenceTable(found, live, plan),
      fields: [personField()],
      confirm: t("version.release-it"),
      wide: true,
    });
    if (!given) return;
    await this.change({ what: "release", version: plan.version, by: given.person }, async (answer) => {
      await this.desk.look("live");
      this.desk.edits.note(t("version.released", { n: plan.version, moved: n(answer.moved) }));
    });
  }

  async undo() {
    const before = this.rows.find((row) => row.status === "superseded");
    const given = await inquire({ title: t("version.undo-title"), note: t("version.undo-note", { n: before.version, time: moment(before.made_ns / 1e6) }), fields: [personField()], confirm: t("version.undo-it") });
    if (!given) return;
    await this.change({ what: "undo", by: given.person }, async (answer) => {
      await this.desk.look("live");
      this.desk.edits.note(t("version.undone", { n: answer.version }));
    });
  }

  async change(question, then) {
    try {
      const answer = await ask(question);
      await this.desk.refresh();
      await then(answer);
    } catch (error) {
      this.desk.edits.fail(error, "");
    }
  }
}

/** Tasks of `next` that lie elsewhere than in `live`, the earliest first: [index in live or -1, index in next]. */
export function difference(live, next) {
  const found = [];
  const shift = (next.originMs - live.originMs) / 1000;
  for (let j = 0; j < next.size; j++) {
    const i = live.indexOf.get(next.id[j]) ?? -1;
    if (i >= 0 && live.state[i] !== 0) continue;
    const same = i >= 0 && live.units[live.unit[i]].id === next.units[next.unit[j]].id && Math.abs(live.start[i] - next.start[j] - shift) < SAME_S;
    if (!same) found.push([i, j]);
  }
  return found.sort((a, b) => next.start[a[1]] - next.start[b[1]]);
}

function differenceTable(found, live, next) {
  const place = (plan, i) => (i < 0 ? "–" : `${unitName(plan.units[plan.unit[i]].id)} ${moment(plan.ms(plan.start[i]), next.ms(0))}`);
  const rows = found.slice(0, LISTED).map(([i, j]) => h("tr", {}, h("td", { text: next.orders[next.order[j]].id }), h("td", { text: `${operationName(next.operation[j])} · ${next.lot[j] > 0 ? next.lot[j] : "–"}` }), h("td", { text: place(live, i) }), h("td", { text: `→ ${place(next, j)}` })));
  const heads = ["orders.id", "plan.operation", "version.from", "version.to"].map((key) => h("th", { scope: "col", text: t(key) }));
  const more = found.length > LISTED ? h("p", { class: "note", text: t("version.more", { n: n(found.length - LISTED) }) }) : null;
  if (!found.length) return h("p", { class: "none", text: t("version.no-difference") });
  return h("div", { class: "d-list", tabindex: 0 }, h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)), more);
}

/** What this re-plan did, against the plan before it. */
export function replan(plan, rows) {
  const k = plan.kpis;
  const before = rows.find((row) => row.version === plan.base) ?? rows.find((row) => row.version < plan.version && row.status === "superseded");
  const change = (key) => (before?.kpis?.[key] !== undefined ? k[key] - before.kpis[key] : null);
  const from = before?.kpis?.weighted_tardiness_s;
  const setups = change("setups");
  put(byId("replan-note"), before ? `v${before.version} → v${plan.version}` : `v${plan.version}`);
  const lines = [
    ["replan.cause", `${plan.cause?.text ? plan.cause.text[document.getElementById("zs").dataset.language] : "–"}${plan.cause?.t_ns ? ` · ${moment(plan.cause.t_ns / 1e6, plan.ms(0))}` : ""}`],
    ["replan.moved", `${n(k.moved)} / ${n(k.tasks)}`],
    ["plan.tardiness", from === undefined ? minutes(k.weighted_tardiness_s) : `${minutes(from)} → ${minutes(k.weighted_tardiness_s)}`],
    ["replan.without", k.without_replan ? minutes(k.without_replan.weighted_tardiness_s) : "–"],
    ["kpi.setups", setups === null ? n(k.setups) : `${n(k.setups)} (${setups > 0 ? "+" : setups < 0 ? "−" : "±"}${n(Math.abs(setups))})`],
    ["replan.bound", typeof k.bound === "number" ? `${minutes(k.bound)} · ${n(k.gap_pct ?? null, 0)} %` : "–"],
    ["replan.times", typeof k.first_s === "number" ? t("replan.times-of", { first: n(k.first_s, 2), improve: n(k.improve_s ?? 0, 1) }) : "–"],
  ];
  byId("replan").replaceChildren(h("table", { class: "d-pairs" }, h("tbody", {}, ...lines.map(([key, text]) => h("tr", {}, h("th", { scope: "row", text: t(key) }), h("td", { text }))))));
  mark(byId("replan"), "data-version", plan.version);
}
