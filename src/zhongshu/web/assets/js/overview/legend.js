/** The legend: the very shapes of the map, each with its word. */

import { h } from "../dom.js";
import { t } from "../words.js";
import { colours, drawUnit, drawVehicleAt } from "./draw.js";

const UNITS = { run: [6, 1, 60, 0, 0, 0, 0], idle: [4, 1, -1, 0, 0, 0, 0], wait: [5, 1, -1, 0, 0, 0, 0], down: [9, 1, -1, 0, 0, 0, 0], stopped: [2, 1, -1, 0, 0, 0, 0], stale: [0, 1, -1, 0, 0, 1, 0], hand: [4, 3, -1, 0, 0, 0, 0] };
const VEHICLES = { vehicle: [0, 0, 0, 0, 90, 0, 1], loaded: [0, 0, 0, 7, 90, 0, 1] };

export function legend(place) {
  const paint = () => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const c = colours();
    const items = [...Object.keys(UNITS), ...Object.keys(VEHICLES)].map((name) => {
      const canvas = sample(rem, (g, size) =>
        name in UNITS
          ? drawUnit(g, { x: size * 0.14, y: size * 0.14, w: size * 0.72, h: size * 0.72 }, UNITS[name], { c, rem })
          : drawVehicleAt(g, size * 0.44, size / 2, size * 0.56, VEHICLES[name], c),
      );
      return h("span", { class: "legend-item" }, canvas, t(`legend.${name}`));
    });
    place.replaceChildren(...items);
  };
  paint();
  window.addEventListener("zs-theme", paint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}

function sample(rem, paint) {
  const size = Math.round(1.2 * rem);
  const ratio = window.devicePixelRatio || 1;
  const canvas = h("canvas", { width: Math.round(size * ratio), height: Math.round(size * ratio), "aria-hidden": "true" });
  canvas.style.width = canvas.style.height = `${size}px`;
  const g = canvas.getContext("2d");
  g.scale(ratio, ratio);
  paint(g, size);
  return canvas;
}
