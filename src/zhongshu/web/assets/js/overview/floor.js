/** The floor map: a canvas with every device and vehicle, which can be pointed at, walked through by keys, and opened. */

import { byId, h, mark } from "../dom.js";
import { isLive, onFrame, picture, plantNow } from "../live.js";
import { areaName, byHand, isVehicle, jobWord, kindOf, modeName, plant, stateWord, typeName } from "../plant.js";
import { label, lasting, t } from "../words.js";
import { colours, drawFloor } from "./draw.js";
import { layOut } from "./layout.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Floor {
  constructor() {
    this.canvas = byId("floor");
    this.view = byId("floor-view");
    this.tip = byId("tip");
    this.look = { c: colours(), rem: 16, now: 0, chosen: -1, hovered: -1 };
    this.waiting = false;
    new ResizeObserver(() => this.fit()).observe(this.view);
    window.addEventListener("zs-theme", () => this.themed());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.themed());
    this.canvas.addEventListener("mousemove", (event) => this.point(event));
    this.canvas.addEventListener("mouseleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (event) => this.open(this.at(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.choose(-1));
    onFrame((frame) => (frame.k === "s" || frame.u || frame.v) && this.draw());
    setInterval(() => this.draw(), 1000);
    this.fit();
  }

  themed() {
    this.look.c = colours();
    this.draw();
  }

  fit() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const box = this.view.getBoundingClientRect();
    if (box.width < 10) return;
    this.plan = layOut(box.width, box.height, rem);
    this.plan.width = box.width;
    this.look.rem = rem;
    const height = this.plan.at ? box.height : this.plan.height;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    this.context = this.canvas.getContext("2d");
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paint();
  }

  /** Paint at the next frame of the screen, once, however often it is asked for. */
  draw() {
    if (this.waiting || document.hidden || this.view.hidden) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    if (!this.plan) return;
    this.look.now = isLive() ? plantNow(plant.speed) : picture.plantMs;
    this.context.clearRect(0, 0, this.plan.width, Math.max(this.plan.height, this.canvas.clientHeight));
    drawFloor(this.context, this.plan, picture, this.look);
    mark(this.canvas, "data-devices", this.plan.squares.size);
    mark(this.canvas, "data-vehicles", picture.vehicles.filter((row) => row?.length).length);
    if (this.look.hovered >= 0 || this.look.chosen >= 0) this.tell();
  }

  /** The device under the pointer; vehicles are in front. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const vehicle = this.vehicleAt(x, y);
    if (vehicle >= 0) return vehicle;
    for (const [i, s] of this.plan.squares) if (x >= s.x - 2 && x <= s.x + s.w + 2 && y >= s.y - 2 && y <= s.y + s.h + 2) return i;
    return -1;
  }

  vehicleAt(x, y) {
    if (!this.plan.at) return -1;
    const k = picture.vehicles.findIndex((row) => {
      if (!row?.length) return false;
      const [vx, vy] = this.plan.at(row[0], row[1]);
      return Math.hypot(vx - x, vy - y) < this.plan.vehicle * 0.75;
    });
    return k < 0 ? -1 : plant.indexOf.get(plant.vehicles[k]);
  }

  point(event) {
    this.hover(this.at(event));
  }

  hover(i) {
    if (i === this.look.hovered) return;
    this.look.hovered = i;
    this.canvas.style.cursor = i >= 0 ? "pointer" : "default";
    this.tell();
    this.draw();
  }

  choose(i) {
    this.look.chosen = i;
    this.tell();
    this.draw();
  }

  key(event) {
    if (event.key === "Enter") this.open(this.look.chosen);
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    this.choose(this.next(this.look.chosen, way));
  }

  /** The nearest device that way, or the first one. */
  next(from, [dx, dy]) {
    const here = this.plan.squares.get(from);
    if (!here) return this.plan.squares.keys().next().value ?? -1;
    let [best, least] = [from, Infinity];
    for (const [i, s] of this.plan.squares) {
      const [ax, ay] = [s.x - here.x, s.y - here.y];
      const along = ax * dx + ay * dy;
      const across = Math.abs(ax * dy) + Math.abs(ay * dx);
      if (along > 1 && along + 3 * across < least) [best, least] = [i, along + 3 * across];
    }
    return best;
  }

  open(i) {
    if (i >= 0) location.href = `/device/${encodeURIComponent(plant.units[i].id)}`;
  }

  tell() {
    const i = this.look.hovered >= 0 ? this.look.hovered : this.look.chosen;
    this.tip.hidden = i < 0;
    if (i < 0) return;
    const lines = isVehicle(plant.units[i]) ? vehicleLines(plant.units[i]) : machineLines(i, this.look.now);
    this.tip.replaceChildren(h("b", { text: label(plant.units[i].name) }), ...lines.filter(Boolean).map((line) => h("div", { text: line })));
    mark(this.canvas, "aria-label", [label(plant.units[i].name), ...lines].filter(Boolean).join(", "));
    this.place(i);
  }

  place(i) {
    let spot = this.plan.squares.get(i);
    if (!spot && this.plan.at) {
      const row = picture.vehicles[plant.vehicleOf.get(plant.units[i].id)];
      if (!row?.length) return;
      const [x, y] = this.plan.at(row[0], row[1]);
      spot = { x: x - 8, y: y - 8, w: 16, h: 16 };
    }
    const { offsetWidth: w, offsetHeight: high } = this.tip;
    const left = Math.min(Math.max(4, spot.x + spot.w / 2 - w / 2), this.plan.width - w - 4);
    const below = spot.y + spot.h + 8;
    const top = below + high > this.canvas.clientHeight ? spot.y - high - 8 : below;
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

function machineLines(i, now) {
  const [unit, row] = [plant.units[i], picture.units[i]];
  const since = row?.[6] ? ` · ${t("unit.since", { time: lasting(now - row[6]) })}` : "";
  return [
    `${areaName(unit.area)} · ${typeName(unit.type)}`,
    stateWord(row) + (kindOf(row) === "stale" ? "" : since),
    byHand(row) ? t(`mode.${modeName(row)}`) : "",
    jobWord(row),
    row?.[2] >= 0 && kindOf(row) === "run" ? t("unit.progress", { n: row[2] }) : "",
  ];
}

function vehicleLines(unit) {
  const row = picture.vehicles[plant.vehicleOf.get(unit.id)];
  if (!row?.length) return [t("state.absent")];
  return [vehicleWord(row), row[3] ? t("vehicle.loaded", { lot: row[3] }) : t("vehicle.empty"), t("vehicle.battery", { n: row[4] })];
}

/** What a vehicle is doing; its flags are explained in web/scene.py. */
export function vehicleWord(row) {
  if (row[6] & 16) return t("state.stale");
  if (row[6] & 8) return t("vehicle.e-stop");
  if (row[6] & 4) return t("vehicle.errors");
  if (row[6] & 2) return t("vehicle.charging");
  return t(row[6] & 1 ? "vehicle.driving" : "vehicle.waiting");
}
