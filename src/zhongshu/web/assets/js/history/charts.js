/** One plot a unit of measure, one below the other on one time axis; dragged to pan, wheeled to zoom. */

import { h } from "../dom.js";
import { plant, unitName } from "../plant.js";
import { label, measured } from "../words.js";
import { aligned, held } from "./columns.js";
import { drawMarks } from "./marks.js";

const SCRIPT = "/assets/vendor/uplot/uPlot.iife.min.js";
const STYLE = "/assets/vendor/uplot/uPlot.min.css";
const HUES = ["#1f6aa5", "#7a5aa6", "#2f7f6f", "#9a5b2c", "#5b6b2f", "#a04a7a", "#4f6f8f", "#80723a", "#6a4a3a", "#3a7a9a", "#8a6a8a", "#5a5a5a"];
const NIGHT = ["#57a5e0", "#b095e0", "#5fc2ac", "#d99a63", "#a6b96a", "#df86b6", "#8fb3d6", "#c9b86a", "#c49a86", "#72bfe0", "#cfa6cf", "#b5b5b5"];
const PLOT_LEAST_REM = 11;
const MARK_PX = 15;
const AXIS_PX = 86; // the same for all, so that the same moment stands above itself

const dark = () => getComputedStyle(document.documentElement).getPropertyValue("--is-dark").trim() === "1";
export const colourOf = (i) => (dark() ? NIGHT : HUES)[i % HUES.length];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

let script = null;

/** The plotting library, loaded once from our own server. */
function library() {
  script ??= new Promise((done, failed) => {
    document.head.append(h("link", { rel: "stylesheet", href: STYLE }));
    const node = h("script", { src: SCRIPT });
    node.onload = () => done(window.uPlot);
    node.onerror = failed;
    document.head.append(node);
  });
  return script;
}

export class Charts {
  constructor(place, view, onMove) {
    [this.place, this.view, this.onMove] = [place, view, onMove];
    this.plots = new Map();
    this.last = null;
    new ResizeObserver(() => this.fit()).observe(place);
    library();
  }

  empty(text, how = "") {
    this.clear();
    this.last = null;
    this.place.replaceChildren(h("p", { class: "none" }, h("b", { text }), h("br"), how));
  }

  clear() {
    for (const { plot } of this.plots.values()) plot.destroy();
    this.plots.clear();
  }

  rebuild() {
    if (!this.last) return;
    this.clear();
    this.show(...this.last);
  }

  async show(trend, gaps) {
    const uPlot = await library();
    this.last = [trend, gaps];
    const points = trend.points.map((point, i) => ({ ...point, place: i }));
    const groups = Map.groupBy ? Map.groupBy(points, groupOf) : grouped(points);
    const names = [...groups.entries()].map(([uom, some]) => [uom, ...some.map((p) => p.path)].join(" "));
    if (names.join("\n") !== [...this.plots.keys()].join("\n")) {
      this.clear();
      this.place.replaceChildren();
      [...groups.entries()].forEach(([uom, some], i) => this.plots.set(names[i], this.made(uPlot, uom, some, i === groups.size - 1)));
      this.fit();
    }
    [...groups.values()].forEach((some, i) => {
      const entry = this.plots.get(names[i]);
      Object.assign(entry, aligned(some.map((point) => held(point, trend)), gaps, trend.width_ms));
      entry.points = some;
      entry.plot.setData(entry.data, false);
      entry.plot.setScale("x", { min: this.view.start / 1000, max: this.view.end / 1000 });
    });
  }

  made(uPlot, uom, points, isLast) {
    const node = h("div", { class: "plot" }, h("h3", {}, points.map((p) => `${unitName(p.unit)} · ${label(p.label)}`).join("　"), h("small", { text: points[0].uom })));
    this.place.append(node);
    const entry = { node, points, spans: [], bad: [] };
    entry.plot = new uPlot(this.options(uPlot, points, entry, isLast), [[0], ...points.flatMap(() => [[null], [null], [null]])], node);
    this.listen(entry.plot);
    return entry;
  }

  options(uPlot, points, entry, isLast) {
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: '12px "Noto Sans CJK SC", system-ui, sans-serif' };
    const series = points.flatMap((point) => {
      const stroke = colourOf(point.place);
      const paths = point.kind === "float" ? undefined : uPlot.paths.stepped({ align: 1 });
      const edge = { stroke: "transparent", width: 0, points: { show: false }, paths };
      return [edge, edge, { stroke, width: 1.5, points: { show: false }, paths }];
    });
    return {
      width: 300, height: 200, padding: [8, 12, 0, 0],
      tzDate: (s) => uPlot.tzDate(new Date(s * 1000), plant.timezone),
      cursor: { drag: { x: false, y: false }, sync: { key: "zs" }, points: { show: false } },
      legend: { show: false },
      scales: { x: { time: true, auto: false } },
      axes: [{ ...axis, values: isLast ? clockMarks(uPlot) : (_, marks) => marks.map(() => ""), size: isLast ? 34 : 10, ticks: { ...axis.ticks, size: 6 } }, { ...axis, ...heights(points) }],
      series: [{}, ...series],
      bands: points.map((point, i) => ({ series: [3 * i + 2, 3 * i + 1], fill: `${colourOf(point.place)}38` })),
      hooks: { drawClear: [(plot) => drawMarks(plot, entry, { soft: colour("hatch"), warn: colour("warn") })] },
    };
  }

  /** Drag to pan, wheel to zoom about the pointer; every plot moves along. */
  listen(plot) {
    const { over } = plot;
    over.style.cursor = "grab";
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      const [x0, start, end] = [event.clientX, this.view.start, this.view.end];
      const move = (now) => {
        const by = ((x0 - now.clientX) / over.clientWidth) * (end - start);
        this.move(start + by, end + by);
      };
      over.addEventListener("pointermove", move);
      over.addEventListener("pointerup", () => over.removeEventListener("pointermove", move), { once: true });
    });
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      const share = (event.clientX - over.getBoundingClientRect().left) / over.clientWidth;
      const factor = event.deltaY > 0 ? 1.25 : 0.8;
      const at = this.view.start + share * this.view.span;
      this.move(at - (at - this.view.start) * factor, at + (this.view.end - at) * factor);
    }, { passive: false });
  }

  move(start, end) {
    this.view.show(start, end);
    for (const { plot } of this.plots.values()) plot.setScale("x", { min: this.view.start / 1000, max: this.view.end / 1000 });
    this.onMove();
  }

  fit() {
    if (!this.plots.size) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    // Of the window, not of the card around: that one grows with what is in it.
    const room = Math.max(window.innerHeight - 19 * rem, 18 * rem) / this.plots.size - 1.6 * rem;
    const height = Math.max(PLOT_LEAST_REM * rem, Math.floor(room));
    for (const { plot } of this.plots.values()) plot.setSize({ width: this.place.clientWidth, height });
  }
}

/** Figures at the left, or the words of a choice. */
function heights(points) {
  const choices = points[0].choices;
  if (!Object.keys(choices).length) return { size: AXIS_PX, values: (_, marks) => marks.map((v) => (v === null ? "" : measured(v))) };
  const splits = (plot) => [...new Set(plot.data.slice(1).flat())].filter((v) => Number.isInteger(v)).sort((a, b) => a - b);
  return { size: AXIS_PX, splits, values: (plot, marks) => apart(plot, marks, (v) => label(choices[String(v)])) };
}

/** Words of marks from the bottom up; one that would cover the one below is left out. */
function apart(plot, marks, word) {
  let below = Infinity;
  return marks.map((value) => {
    const y = plot.valToPos(value, "y");
    if (below - y < MARK_PX) return "";
    below = y;
    return word(value);
  });
}

const groupOf = (point) => (point.kind === "float" || point.kind === "int" ? point.uom : point.path);

function grouped(points) {
  const groups = new Map();
  for (const point of points) groups.set(groupOf(point), [...(groups.get(groupOf(point)) ?? []), point]);
  return groups;
}

/** Times as 14:26 or 14:26:08, with the day where it changes. */
function clockMarks(uPlot) {
  const [time, fine, date] = ["{HH}:{mm}", "{HH}:{mm}:{ss}", "{MM}-{DD}"].map((form) => uPlot.fmtDate(form));
  return (plot, marks, _, __, step) => {
    let before = "";
    return marks.map((s) => {
      const at = plot.opts?.tzDate?.(s) ?? uPlot.tzDate(new Date(s * 1000), plant.timezone);
      const day = date(at);
      const said = (step < 60 ? fine : step >= 86400 ? date : time)(at);
      const changed = before && day !== before;
      before = day;
      return changed && step < 86400 ? `${said}\n${day}` : said;
    });
  };
}
