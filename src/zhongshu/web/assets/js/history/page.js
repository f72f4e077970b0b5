/** History: any points over any time; the address of the page holds the whole view, so that it can be sent to somebody. */

import { byId, put } from "../dom.js";
import { onFrame, picture, plantNow } from "../live.js";
import { plant } from "../plant.js";
import { n, span, t } from "../words.js";
import { Charts } from "./charts.js";
import { Picker } from "./picker.js";
import { Values } from "./values.js";
import { View } from "./view.js";

const RANGES_MS = { "10min": 600_000, "1h": 3_600_000, shift: 28_800_000, day: 86_400_000 };
const SETTLE_MS = 160;
const FOLLOW_MS = 2000;
const BUCKETS = 900;

export function start() {
  const began = () => {
    if (picture.ready) new Page();
    else setTimeout(began, 50);
  };
  began();
}

class Page {
  constructor() {
    this.view = View.fromAddress(plantNow(plant.speed));
    this.asked = 0;
    this.timer = 0;
    this.charts = new Charts(byId("charts"), this.view, () => this.moved());
    this.values = new Values(byId("values"), (path) => this.pick(path, false));
    this.picker = new Picker(byId("found"), this.view, (path, on) => this.pick(path, on));
    for (const button of document.querySelectorAll("[data-range]")) button.onclick = () => this.range(RANGES_MS[button.dataset.range]);
    byId("follow").onchange = (event) => this.follow(event.target.checked);
    setInterval(() => this.view.follow && !document.hidden && this.load(), FOLLOW_MS);
    window.addEventListener("zs-theme", () => this.charts.rebuild());
    onFrame((frame) => frame.k === "s" && this.load());
    this.load();
  }

  pick(path, on) {
    const said = this.view.pick(path, on);
    if (!said) put(byId("chart-note"), t("history.too-many", { n: View.MOST }));
    this.picker.mark();
    this.load();
  }

  range(ms) {
    this.view.show(plantNow(plant.speed) - ms, plantNow(plant.speed));
    this.follow(true);
  }

  follow(on) {
    this.view.follow = on;
    this.load();
  }

  /** The person dragged or zoomed: what is there is moved at once, the rest is fetched when it settles. */
  moved() {
    this.view.follow = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), SETTLE_MS);
    this.tell();
  }

  tell() {
    byId("follow").checked = this.view.follow;
    history.replaceState(null, "", this.view.address());
    for (const form of ["csv", "parquet"]) {
      const link = byId(form);
      link.hidden = !this.view.points.length;
      link.href = `/api/export?${this.view.question()}&format=${form}`;
    }
    for (const button of document.querySelectorAll("[data-range]")) {
      const fits = Math.abs(this.view.span - RANGES_MS[button.dataset.range]) < 1000;
      button.setAttribute("aria-current", String(fits));
    }
  }

  async load() {
    if (this.view.follow) this.view.follow_(plantNow(plant.speed));
    this.tell();
    if (!this.view.points.length) {
      this.charts.empty(t("history.none"), t("history.none-how"));
      this.values.show([]);
      put(byId("chart-note"), "");
      return;
    }
    const mine = ++this.asked;
    if (!this.view.follow) put(byId("chart-note"), t("history.loading"));
    try {
      const [trend, gaps] = await Promise.all([asked(`/api/trend?${this.view.question()}&buckets=${BUCKETS}`), this.gaps()]);
      if (mine !== this.asked) return; // a newer question is under way
      this.charts.show(trend, gaps);
      this.values.show(trend.points);
      const count = trend.points.reduce((sum, p) => sum + p.n.reduce((a, b) => a + b, 0), 0);
      put(byId("chart-note"), `${n(count)} · ${t("history.bucket", { n: span(trend.width_ms) })}`);
    } catch (error) {
      if (mine === this.asked) put(byId("chart-note"), t("history.error", { why: error.message }));
    }
  }

  /** The ledger's intervals of the units shown, by unit. */
  async gaps() {
    const units = [...new Set(this.view.points.map((path) => path.split("/").at(-2)))];
    const found = await Promise.all(units.map((unit) => asked(`/api/gaps?unit=${encodeURIComponent(unit)}&limit=500&${this.view.times()}`)));
    return new Map(units.map((unit, i) => [unit, found[i].gaps]));
  }
}

async function asked(url) {
  const answer = await fetch(url);
  const body = await answer.json();
  if (!answer.ok) throw new Error(typeof body.detail === "string" ? body.detail : String(answer.status));
  return body;
}
