/** The figures of what is shown: the table equivalent of the chart. */

import { Table, h, put } from "../dom.js";
import { unitName } from "../plant.js";
import { label, measured, t } from "../words.js";
import { valueWord } from "../device/points.js";
import { colourOf } from "./charts.js";

export class Values {
  constructor(place, onRemove) {
    this.place = place;
    const columns = [
      { title: t("history.point"), fill: name },
      { title: t("history.low"), class: "num", text: (p) => valueWord(p, least(p.low, Math.min)) },
      { title: t("history.mean"), class: "num", text: (p) => (Object.keys(p.choices).length ? "–" : measured(mean(p))) },
      { title: t("history.high"), class: "num", text: (p) => valueWord(p, least(p.high, Math.max)) },
      { title: t("history.last"), class: "num", text: (p) => valueWord(p, p.last.findLast((v) => v !== null) ?? null) },
      { title: t("table.unit"), text: (p) => p.uom },
      { title: "", class: "num", fill: (cell, p) => remove(cell, p, onRemove) },
    ];
    this.table = new Table(place, columns, { key: (p) => p.path, label: t("history.values"), empty: "" });
  }

  show(points) {
    this.table.show(points.map((point, i) => ({ ...point, place: i })));
    this.place.hidden = !points.length;
  }
}

const least = (values, pick) => {
  const known = values.filter((v) => v !== null);
  return known.length ? known.reduce((a, b) => pick(a, b)) : null;
};

function mean(point) {
  let [sum, count] = [0, 0];
  point.mean.forEach((value, i) => {
    if (value === null) return;
    sum += value * point.n[i];
    count += point.n[i];
  });
  return count ? sum / count : null;
}

function name(cell, point) {
  if (!cell.firstChild) cell.append(h("i", { class: "swatch" }), h("span"));
  cell.firstChild.style.background = colourOf(point.place);
  put(cell.lastChild, `${unitName(point.unit)} · ${label(point.label)}`);
}

function remove(cell, point, onRemove) {
  if (cell.firstChild) return;
  const said = t("history.remove", { name: label(point.label) });
  cell.append(h("button", { type: "button", title: said, "aria-label": said, text: "×", onclick: () => onRemove(point.path) }));
}
