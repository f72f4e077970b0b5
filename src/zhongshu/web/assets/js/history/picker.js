/** Finds points by words and picks several; what is picked stays on top. */

import { byId, h } from "../dom.js";
import { unitName } from "../plant.js";
import { label, n, t } from "../words.js";
import { valueWord } from "../device/points.js";

const WAIT_MS = 180;

export class Picker {
  constructor(place, view, onPick) {
    [this.place, this.view, this.onPick] = [place, view, onPick];
    this.timer = 0;
    byId("find").addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), WAIT_MS);
    });
    this.search();
  }

  async search() {
    const text = byId("find").value;
    const picked = text ? [] : await Promise.all(this.view.points.map((path) => this.one(path)));
    const answer = await fetch(`/api/points?limit=80&search=${encodeURIComponent(text)}`);
    if (!answer.ok || text !== byId("find").value) return;
    const { total, points } = await answer.json();
    const top = picked.filter(Boolean);
    const rows = [...top, ...points.filter((p) => !top.some((q) => q.path === p.path))];
    this.place.replaceChildren(h("p", { class: "note", text: t("history.found", { n: n(total) }) }), ...rows.map((point) => this.row(point)));
  }

  async one(path) {
    const answer = await fetch(`/api/points?limit=1&search=${encodeURIComponent(path)}`);
    return answer.ok ? (await answer.json()).points.find((point) => point.path === path) : null;
  }

  row(point) {
    const box = h("input", { type: "checkbox", "data-path": point.path });
    box.checked = this.view.points.includes(point.path);
    box.onchange = () => this.onPick(point.path, box.checked);
    const value = `${valueWord(point, point.value)} ${point.uom}`.trim();
    // A value that is no longer good is not shown as if it were the present one.
    const now = point.quality < 0 ? "–" : point.quality ? `${value} ▲` : value;
    const newest = h("b", { text: now });
    if (point.quality > 0) newest.title = t(point.quality === 1 ? "quality.uncertain" : "quality.bad");
    return h("label", { class: "found", title: point.path }, box,
      h("span", {}, `${unitName(point.unit)} · ${label(point.label)}`, h("small", { text: point.path })), newest);
  }

  mark() {
    for (const box of this.place.querySelectorAll("input")) box.checked = this.view.points.includes(box.dataset.path);
  }
}
