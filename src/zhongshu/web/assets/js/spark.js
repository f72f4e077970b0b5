/** A small trend without axes: a band from low to high, a line, and the two ends of its scale in figures. */

import { measured } from "./words.js";

export class Spark {
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** @param at times; @param low, @param high the band; `zero` begins the scale at 0; nulls break the line */
  draw(at, low, high, { zero = false, unit = "", line = null } = {}) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const box = this.canvas.getBoundingClientRect();
    if (box.width < 8 || !at.length) return;
    const ratio = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    const g = this.canvas.getContext("2d");
    g.scale(ratio, ratio);
    const numbers = [...low, ...high].filter((v) => v !== null && v !== undefined);
    if (!numbers.length) return;
    const bottom = zero ? 0 : numbers.reduce((a, b) => Math.min(a, b));
    const top = numbers.reduce((a, b) => Math.max(a, b));
    const room = box.width - 3.2 * rem;
    const x = (t) => ((t - at[0]) / Math.max(1, at.at(-1) - at[0])) * room;
    const y = (v) => box.height - 4 - ((v - bottom) / (top - bottom || 1)) * (box.height - 8);
    this.band(g, at, low, high, x, y);
    this.line(g, at, line ?? low, x, y);
    const soft = getComputedStyle(this.canvas).getPropertyValue("--soft");
    g.fillStyle = soft;
    g.font = `${0.68 * rem}px "Noto Sans CJK SC", system-ui, sans-serif`;
    g.textAlign = "right";
    g.fillText(`${measured(top)} ${unit}`.trim(), box.width, 0.7 * rem);
    g.fillText(`${measured(bottom)} ${unit}`.trim(), box.width, box.height - 3);
  }

  band(g, at, low, high, x, y) {
    g.fillStyle = getComputedStyle(this.canvas).getPropertyValue("--gear");
    g.globalAlpha = 0.45;
    for (const [from, to] of runs(low)) {
      g.beginPath();
      for (let i = from; i <= to; i++) g.lineTo(x(at[i]), y(high[i] ?? low[i]) - 0.5);
      for (let i = to; i >= from; i--) g.lineTo(x(at[i]), y(low[i]) + 0.5);
      g.fill();
    }
    g.globalAlpha = 1;
  }

  line(g, at, values, x, y) {
    g.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--ink");
    g.lineWidth = 1.2;
    for (const [from, to] of runs(values)) {
      g.beginPath();
      for (let i = from; i <= to; i++) g.lineTo(x(at[i]), y(values[i]));
      g.stroke();
    }
  }
}

/** Index ranges without a null. */
function runs(values) {
  const found = [];
  let from = -1;
  values.forEach((value, i) => {
    const there = value !== null && value !== undefined;
    if (there && from < 0) from = i;
    if (!there && from >= 0) {
      found.push([from, i - 1]);
      from = -1;
    }
  });
  if (from >= 0) found.push([from, values.length - 1]);
  return found;
}
