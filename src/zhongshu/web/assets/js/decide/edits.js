/** Changes a person tries: each is planned out as a what-if first, its effect shown, and only then kept or thrown away. */

import { byId, h, put } from "../dom.js";
import { plant, unitName } from "../plant.js";
import { n, t } from "../words.js";
import { Refusal, ask, said } from "./ask.js";
import { ableUnits } from "./check.js";
import { fromInput, inquire, toInput } from "./dialog.js";
import { operationName } from "./draw.js";

const NS_A_MS = 1_000_000;
const NAME_MOST = 60;
const HOUR_MS = 3_600_000;
const ns = (ms) => Math.round(ms) * NS_A_MS;

export class Edits {
  /** @param desk the page: which plan is looked at, and how to look at another */
  constructor(desk) {
    this.desk = desk;
    this.place = byId("effect");
    this.trying = 0;
    this.preview = 0;
    window.addEventListener("pagehide", () => this.preview && ask({ what: "discard", version: this.preview }, true).catch(() => {}));
  }

  get ahead() {
    return this.desk.gantt.look.ahead;
  }

  place_(i, unit, start) {
    const { plan } = this.desk;
    const edit = { kind: "place", task: plan.id[i], unit: plan.units[unit].id, start_ns: ns(plan.ms(start)) };
    this.propose([edit], t("edit.placed", { task: this.name(i), unit: unitName(edit.unit) }));
  }

  name(i) {
    const { plan } = this.desk;
    return `${plan.orders[plan.order[i]].id} ${operationName(plan.operation[i])}`;
  }

  pin(i) {
    const { plan } = this.desk;
    const kind = plan.pinned[i] ? "unpin" : "pin";
    this.propose([{ kind, task: plan.id[i] }], t(`edit.${kind}`, { task: this.name(i) }));
  }

  /** Moving without a pointer: unit and time as fields. */
  async move(i) {
    const { plan } = this.desk;
    const units = ableUnits(plan, i) ?? plan.units.map((u) => u.id);
    const given = await inquire({
      title: t("edit.move-title", { task: this.name(i) }),
      fields: [
        { name: "unit", type: "select", label: t("table.device"), value: plan.units[plan.unit[i]].id, options: units.filter((id) => plan.unitIndex.has(id)).map((id) => [id, unitName(id)]) },
        { name: "start", type: "datetime-local", label: t("plan.start"), value: toInput(plan.ms(plan.start[i]), this.ahead) },
      ],
      confirm: t("edit.try"),
    });
    if (given) this.place_(i, plan.unitIndex.get(given.unit), plan.seconds(fromInput(given.start, this.ahead)));
  }

  async split(i) {
    const { plan } = this.desk;
    const given = await inquire({ title: t("edit.split-title", { task: this.name(i) }), note: t("edit.split-note"), fields: [{ name: "parts", type: "number", label: t("edit.parts"), value: 2, min: 2, max: 9 }], confirm: t("edit.try") });
    if (given) this.propose([{ kind: "split", task: plan.id[i], parts: given.parts }], t("edit.splitted", { task: this.name(i), n: given.parts }));
  }

  /** Take a unit out, or let it work longer: kind is exclude or overtime. */
  async unit(kind, id) {
    const { plan } = this.desk;
    const now = plan.ms(this.desk.gantt.now());
    const begin = Math.ceil(now / HOUR_MS) * HOUR_MS;
    const given = await inquire({
      title: t(`edit.${kind}-title`, { unit: unitName(id) }),
      fields: [
        { name: "from", type: "datetime-local", label: t("edit.from"), value: toInput(kind === "exclude" ? now : begin, this.ahead) },
        { name: "to", type: "datetime-local", label: t("edit.to"), value: toInput(begin + 2 * HOUR_MS, this.ahead) },
      ],
      confirm: t("edit.try"),
    });
    if (!given) return;
    const [start, end] = [fromInput(given.from, this.ahead), fromInput(given.to, this.ahead)];
    if (!(end > start)) return this.fail(new Refusal({ zh: t("edit.backwards"), en: t("edit.backwards") }, 0), "");
    this.propose([{ kind, unit: id, start_ns: ns(start), end_ns: ns(end) }], t(`edit.${kind}d`, { unit: unitName(id) }));
  }

  /** A what-if with a name of its own, the same as what is looked at until it is changed. */
  async begin() {
    const given = await inquire({ title: t("edit.new-title"), note: t("edit.new-note"), fields: [{ name: "name", label: t("edit.name"), value: "" }], confirm: t("edit.create") });
    if (given) await this.propose([{ kind: "name", name: given.name }], given.name, true);
  }

  /** Ask the planner what it would do; every what-if is made anew from its base with all its edits, so nothing is lost by turning back. */
  async propose(edits, title, keep = false) {
    const mine = ++this.trying;
    await this.forget();
    const { plan } = this.desk;
    const onWhatIf = plan.status === "scenario";
    const all = [...(onWhatIf ? plan.edits : []), ...edits];
    if (!all.some((edit) => edit.kind === "name")) all.push({ kind: "name", name: title.slice(0, NAME_MOST) });
    this.loading(title);
    try {
      const found = await ask({ what: "try", base: onWhatIf ? (plan.base ?? "live") : "live", scenario: null, edits: all });
      if (mine !== this.trying) {
        if (found.version) ask({ what: "discard", version: found.version }).catch(() => {});
        return;
      }
      this.preview = found.version;
      this.replaces = onWhatIf ? plan.version : 0;
      if (keep) await this.keep();
      else this.effect(found, title);
    } catch (error) {
      if (mine === this.trying) this.fail(error, title);
    }
  }

  loading(title) {
    this.place.hidden = false;
    this.place.dataset.state = "loading";
    this.place.replaceChildren(h("b", { text: title }), h("span", { class: "d-spin", "aria-hidden": "true" }), h("span", { text: t("edit.trying") }), h("span", { class: "push" }), this.button("dialog.cancel", () => this.cancel()));
  }

  effect({ feasible, effect, problems, version }, title) {
    this.place.dataset.state = feasible ? "done" : "problem";
    const figures = effect
      ? [t("edit.moved", { n: n(effect.moved) }), `${t("edit.late")} ${signed(effect.late)}`, `${t("plan.tardiness")} ${t("unit.min", { n: signed(Math.round(effect.weighted_tardiness_s / 60)) })}`]
      : [];
    const marks = [null, effect?.late > 0 ? "alarm" : null, effect?.weighted_tardiness_s > 0 ? "alarm" : null];
    const told = (problems ?? []).map((p) => h("span", { "data-mark": "warn", text: `▲ ${said(p)}` }));
    this.place.replaceChildren(
      h("b", { text: title }),
      feasible ? "" : h("span", { "data-mark": "alarm", text: `■ ${t("edit.infeasible")}` }),
      ...figures.map((text, k) => h("span", { class: "d-figure", "data-mark": marks[k], text: marks[k] ? `■ ${text}` : text })),
      ...told,
      h("span", { class: "push" }),
      this.button("edit.look", () => this.desk.refresh().then(() => this.desk.look(version))),
      feasible ? this.button("edit.keep", () => this.keep(), true) : "",
      this.button("dialog.cancel", () => this.cancel()),
    );
    this.place.querySelector(".primary")?.focus();
  }

  fail(error, title) {
    this.place.hidden = false;
    this.place.dataset.state = "problem";
    this.place.replaceChildren(h("b", { text: title }), h("span", { "data-mark": "alarm", text: `■ ${error.message}` }), h("span", { class: "push" }), this.button("dialog.close", () => this.hide()));
  }

  button(key, act, primary = false) {
    return h("button", { class: primary ? "plain primary" : "plain", type: "button", text: t(key), onclick: act });
  }

  hide() {
    this.place.hidden = true;
    this.place.replaceChildren();
  }

  /** Keep it: it becomes the what-if that is looked at, in place of the one it was made from. */
  async keep() {
    const [version, old] = [this.preview, this.replaces];
    this.preview = 0;
    this.hide();
    await this.desk.refresh();
    await this.desk.look(version);
    if (old && old !== version) await ask({ what: "discard", version: old }).catch(() => {});
    await this.desk.refresh();
  }

  async cancel() {
    this.trying++;
    const shown = this.desk.plan?.version === this.preview && this.preview;
    const back = this.replaces || "live";
    await this.forget();
    this.hide();
    if (shown) await this.desk.look(back);
    await this.desk.refresh();
  }

  /** Throw a preview away that nobody kept. */
  async forget() {
    const version = this.preview;
    this.preview = 0;
    if (version) await ask({ what: "discard", version }).catch(() => {});
  }

  note(text) {
    this.place.hidden = false;
    this.place.dataset.state = "done";
    this.place.replaceChildren(h("span", { text }), h("span", { class: "push" }), this.button("dialog.close", () => this.hide()));
    put(byId("plan-said"), text);
  }
}

export const signed = (value) => (value > 0 ? `+${n(value)}` : value < 0 ? n(value) : "±0");
export const sellable = () => plant.products.filter((p) => p.sellable);
