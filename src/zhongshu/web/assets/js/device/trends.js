/** Small trends of a device's main measurements over the last ten minutes, from history, renewed every fifteen seconds. */

import { h } from "../dom.js";
import { Spark } from "../spark.js";
import { label, measured, t } from "../words.js";

const MOST = 6;
const EVERY_MS = 15_000;
const PLAIN = ["power", "speed", "job_progress", "battery", "velocity", "wear", ""];

export class Trends {
  constructor(place, points) {
    const main = points.filter((p) => p.kind === "float" && PLAIN.includes(p.role)).sort((a, b) => PLAIN.indexOf(a.role) - PLAIN.indexOf(b.role)).slice(0, MOST);
    this.place = place;
    this.sparks = new Map();
    const grid = h("div", { class: "trend-grid" });
    for (const point of main) {
      const canvas = h("canvas", { "aria-hidden": "true" });
      const value = h("b");
      this.sparks.set(point.path, { spark: new Spark(canvas), value, point });
      grid.append(h("a", { class: "trend", href: `/history?points=${encodeURIComponent(point.path)}` },
        h("div", {}, h("span", { text: label(point.label) }), value), canvas));
    }
    place.replaceChildren(grid);
    this.none = h("p", { class: "none", text: t("device.no-trend"), hidden: true });
    place.append(this.none);
    if (main.length) {
      this.load();
      setInterval(() => document.hidden || this.load(), EVERY_MS);
    } else this.none.hidden = false;
  }

  async load() {
    const query = [...this.sparks.keys()].map((path) => `points=${encodeURIComponent(path)}`).join("&");
    const answer = await fetch(`/api/trend?${query}&buckets=180`).catch(() => null);
    if (!answer?.ok) {
      const why = await answer?.json().then((told) => told.detail).catch(() => "");
      this.none.textContent = t("history.error", { why: typeof why === "string" && why ? why : String(answer?.status ?? "–") });
      this.none.hidden = false;
      return;
    }
    const { points } = await answer.json();
    this.none.textContent = t("device.no-trend");
    this.none.hidden = points.some((p) => p.t.length);
    for (const found of points) {
      const { spark, value, point } = this.sparks.get(found.path);
      if (!found.t.length) continue;
      value.textContent = `${measured(found.last.at(-1))} ${point.uom}`;
      spark.draw(found.t, found.low, found.high, { line: found.mean });
    }
  }
}
