/** How far the brain may go in each area, who has taken over, what is stopped; a named person changes it, and it holds at once. */

import { byId, h, put } from "../dom.js";
import { inquire, personField } from "../decide/dialog.js";
import { attempt } from "../orders/said.js";
import { call } from "../orders/wire.js";
import { areaName, unitName } from "../plant.js";
import { clock, n, t } from "../words.js";

export class Ladder {
  constructor(path) {
    this.path = path;
    this.said = "";
    byId("ladder-card").hidden = false;
  }

  async load() {
    const now = await call("GET", this.path);
    const told = JSON.stringify(now);
    if (told === this.said || byId("ladder").contains(document.activeElement)) return; // whoever is choosing shall not lose it
    this.said = told;
    this.show(now);
  }

  show({ levels, stopped, areas, units }) {
    const stop = h("button", { type: "button", class: "plain", "data-danger": stopped ? null : true, text: t(stopped ? "ladder.resume" : "ladder.stop") });
    stop.onclick = () => this.stop("", Boolean(stopped));
    byId("ladder-tools").replaceChildren(stop);
    const low = areas.filter((area) => area.level !== "act").length;
    put(byId("ladder-note"), stopped ? t("ladder.stopped-all", { by: stopped.by, at: clock(stopped.t_ms) }) : low ? t("ladder.low", { n: n(low) }) : t("ladder.all-act"));
    const special = low || stopped || areas.some((area) => area.stopped || area.taken);
    const list = h("ul", { class: "ladder", "aria-label": t("ladder.title") }, ...areas.map((area) => this.area(area, levels)));
    const open = byId("ladder").querySelector("details")?.open ?? Boolean(special);
    byId("ladder").replaceChildren(
      h("details", { open }, h("summary", { text: t("ladder.areas", { n: n(areas.length) }) }), list),
      units.length ? h("p", { class: "note", text: t("ladder.units", { units: units.map((u) => `${unitName(u.unit)} (${u.taken.by})`).join(t("did.and")) }) }) : "");
  }

  area(area, levels) {
    const name = areaName(area.area);
    const select = h("select", { "aria-label": `${name}: ${t("ladder.level")}` }, ...levels.map((level) => h("option", { value: level, text: t(`ladder.${level}`), selected: level === area.level })));
    select.onchange = () => this.level(area, select.value);
    const fact = area.stopped ?? area.taken;
    const state = area.stopped ? "ladder.stopped" : area.taken ? "ladder.taken" : "";
    const button = h("button", { type: "button", class: "plain", text: t(area.stopped ? "ladder.resume" : "ladder.stop-area"), "aria-label": `${name}: ${t(area.stopped ? "ladder.resume" : "ladder.stop-area")}` });
    button.onclick = () => this.stop(area.area, Boolean(area.stopped));
    const changed = area.changed && area.level !== area.default ? t("ladder.changed", { by: area.changed.by, at: clock(area.changed.t_ms) }) : "";
    return h("li", { "data-level": area.level }, h("b", { text: name }), select, button,
      h("span", { class: "why", "data-mark": state ? "warn" : null, text: state ? `▲ ${t(state, { by: fact.by, at: clock(fact.t_ms) })}` : changed }));
  }

  async level(area, level) {
    const said = await this.person(t("ladder.level-title", { area: areaName(area.area), level: t(`ladder.${level}`) }), t(`ladder.${level}-note`), t("ladder.change"));
    if (said) await attempt(() => call("POST", `${this.path}/level`, { area: area.area, level, by: said.person, note: said.note }), t("ladder.done"));
    this.again();
  }

  async stop(area, resume) {
    const where = area ? areaName(area) : t("ladder.plant");
    const said = await this.person(t(resume ? "ladder.resume-title" : "ladder.stop-title", { where }), t(resume ? "ladder.resume-note" : "ladder.stop-note"), t(resume ? "ladder.resume" : "ladder.stop-area"), !resume);
    const body = { area, by: said?.person, note: said?.note };
    if (said) await attempt(() => call("POST", `${this.path}/${resume ? "resume" : "stop"}`, resume ? body : { ...body, then: "finish" }), t("ladder.done"));
    this.again();
  }

  person(title, note, confirm, danger = false) {
    return inquire({ title, note, fields: [{ name: "note", label: t("book.note"), required: false }, personField()], confirm, danger });
  }

  /** Show what holds now, also where a choice was taken back. */
  again() {
    this.said = "";
    document.activeElement?.blur();
    this.load().catch(() => {});
  }
}
