/** The top bar: plant clock, what the processes say of the plant, and the switches for language and light. */

import { byId, h, mark, put } from "./dom.js";
import { onFrame, picture, plantNow } from "./live.js";
import { plant } from "./plant.js";
import { clock, language, n, stamp, t } from "./words.js";

const YEAR_S = 31536000;

/** The switches work at once, also while everything else is still being fetched. */
export function startSwitches() {
  byId("language").onclick = () => {
    keep("zs_language", language === "zh" ? "en" : "zh");
    location.reload();
  };
  byId("theme").onclick = () => {
    const dark = getComputedStyle(document.documentElement).getPropertyValue("--is-dark").trim() === "1";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    keep("zs_theme", dark ? "light" : "dark");
    window.dispatchEvent(new Event("zs-theme"));
  };
}

export function startTop() {
  const figures = new Figures(byId("figures"));
  onFrame((frame) => frame.h && figures.show(frame.h));
  onFrame((frame) => frame.k === "s" && figures.show(picture.counts));
  setInterval(() => {
    if (!picture.ready) return;
    const now = plantNow(plant.speed);
    put(byId("clock"), plant.speed === 1 ? stamp(now) : `${stamp(now)} · ${t("top.speed", { n: plant.speed })}`);
    mark(byId("clock"), "data-time", clock(now));
  }, 1000 / Math.min(4, Math.max(1, plant.speed)));
}

function keep(name, value) {
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
}

/** 12 ms, 0.4 s, or a dash where nobody said it. */
function lag(ms) {
  if (ms === null || ms === undefined) return "–";
  return ms < 100 ? `${n(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The counts, each in its own element, so that one that changes moves nothing else. */
class Figures {
  constructor(place) {
    const names = ["connected", "points", "rate", "latency", "gaps", "lost", "silent"];
    this.parts = Object.fromEntries(names.map((name) => [name, h("a", { class: "figure", href: "/sense" })]));
    place.replaceChildren(...Object.values(this.parts));
  }

  show(counts) {
    const { devices, points, points_here: here, latency_ms: latency, silent } = counts;
    if (!devices) return;
    const p50 = latency.p50;
    const good = points.good ?? here.good;
    const total = points.total ?? here.total;
    const said = {
      connected: t("top.connected", { up: n(devices.connected), total: n(devices.total ?? plant.units.length) }),
      points: good === total ? t("top.points", { n: n(total) }) : t("top.points-good", { good: n(good), n: n(total) }),
      rate: t("top.rate", { n: n(counts.values_per_s) }),
      latency: t("top.latency", { s: lag(p50) }),
      gaps: t("top.gaps", { n: n(counts.gaps) }),
      lost: t("top.lost", { n: n(counts.values_lost) }),
      silent: silent.length ? t("top.silent", { names: silent.join(", ") }) : "",
    };
    for (const [name, text] of Object.entries(said)) put(this.parts[name], text);
    const missing = devices.connected !== null && devices.connected < devices.total;
    mark(this.parts.connected, "data-mark", missing ? "warn" : null);
    mark(this.parts.lost, "data-mark", counts.values_lost ? "alarm" : null);
    mark(this.parts.silent, "data-mark", silent.length ? "alarm" : null);
    this.parts.silent.hidden = !silent.length;
  }
}
