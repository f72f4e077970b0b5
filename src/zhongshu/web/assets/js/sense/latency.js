/** Latency over the last minutes: p50 and p99 as a small chart, from source time to queryable. */

import { byId, h, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { Spark } from "../spark.js";
import { n, t } from "../words.js";

const KEPT = 900;

export class Latency {
  constructor(place) {
    this.p50 = [];
    this.p99 = [];
    this.at = [];
    this.note = h("p", { class: "none", text: t("sense.latency-none") });
    this.now = h("p", { class: "note" });
    this.spark = new Spark(h("canvas", { role: "img", "aria-label": t("sense.latency") }));
    this.spark.canvas.style.cssText = "width:100%;height:5.6rem;display:block";
    place.replaceChildren(this.note, this.spark.canvas, this.now);
    this.load();
    onFrame((frame) => frame.h && this.add(picture.wallMs, picture.counts.latency_ms));
  }

  async load() {
    const answer = await fetch("/api/latency");
    if (!answer.ok) return;
    const { wall_ms: at, p50_ms: p50, p99_ms: p99 } = await answer.json();
    [this.at, this.p50, this.p99] = [at, p50, p99];
    this.show();
  }

  add(ms, latency) {
    if (latency?.p50 === null || latency?.p50 === undefined) return;
    this.at.push(ms);
    this.p50.push(latency.p50);
    this.p99.push(latency.p99);
    for (const list of [this.at, this.p50, this.p99]) if (list.length > KEPT) list.shift();
    this.show();
  }

  show() {
    const some = this.at.length > 1;
    this.note.hidden = some;
    this.spark.canvas.hidden = !some;
    if (!some) return;
    put(byId("latency-note"), t("sense.latency-note", { n: Math.max(1, Math.round((this.at.at(-1) - this.at[0]) / 60000)) }));
    put(this.now, t("sense.now", { p50: n(this.p50.at(-1)), p99: n(this.p99.at(-1)) }));
    this.spark.draw(this.at, this.p50, this.p99, { zero: true, digits: 0, unit: "ms" });
  }
}
