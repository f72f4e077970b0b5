/** Metres of the floor plan → pixels of the canvas: the true plan where it fits, areas one below the other on a phone. */

import { isVehicle, plant } from "../plant.js";

const MARGIN_M = 2;
const STRETCH_MAX = 1.35; // the plan may be drawn so much longer one way than the other, to use the room there is
const STACK_BELOW_REM = 38;
const TITLE_REM = 1.9;
const LABEL_REM = 1.5; // an area's name on the plan
const GAP_REM = 0.7;

/** Rectangles of areas, squares of devices and roads, for a view so many pixels wide and high. */
export function layOut(width, height, rem) {
  const areas = plant.areas.map((area) => ({ area, rect: area.rect_m, units: machinesOf(area) })).filter((a) => a.units.length);
  const whole = bounds(areas);
  return width < STACK_BELOW_REM * rem ? stacked(areas, width, rem) : planned(areas, whole, width, height, rem);
}

function machinesOf(area) {
  const found = [];
  plant.units.forEach((unit, i) => unit.area === area.id && !isVehicle(unit) && found.push(i));
  return found;
}

function bounds(areas) {
  const xs = areas.flatMap(({ rect: [x, , w] }) => [x, x + w]).concat(plant.roads.nodes.map((node) => node[2]));
  const ys = areas.flatMap(({ rect: [, y, , h] }) => [y, y + h]).concat(plant.roads.nodes.map((node) => node[3]));
  if (!xs.length) return [0, 0, 1, 1];
  const [x0, y0] = [Math.min(...xs) - MARGIN_M, Math.min(...ys) - MARGIN_M];
  return [x0, y0, Math.max(...xs) + MARGIN_M - x0, Math.max(...ys) + MARGIN_M - y0];
}

function planned(areas, [x0, y0, w, h], width, height, rem) {
  const least = Math.min(width / w, height / h);
  const sx = Math.min(width / w, least * STRETCH_MAX);
  const sy = Math.min(height / h, least * STRETCH_MAX);
  const left = (width - w * sx) / 2;
  const top = (height - h * sy) / 2;
  const at = (x, y) => [left + (x - x0) * sx, top + (y - y0) * sy];
  const boxes = areas.map(({ area, rect, units }) => {
    const [x, y] = at(rect[0], rect[1]);
    return { area, units, x, y, w: rect[2] * sx, h: rect[3] * sy };
  });
  const pitch = Math.min(...boxes.map((box) => pitchOf(box.units, sx, sy)));
  const size = Math.max(4, Math.min(pitch * 0.76, 2.2 * rem));
  const squares = new Map();
  for (const box of boxes) placed(box, at, size, rem).forEach((square, i) => squares.set(i, square));
  return { boxes, squares, roads: roads(at), at, height, size, vehicle: Math.max(7, Math.min(size * 0.72, 1.5 * rem)) };
}

/** Where the plan has them; in a box that is too low for that they move together, so that its name stays readable. */
function placed({ units, y, h }, at, size, rem) {
  const places = units.map((i) => at(...plant.units[i].at_m));
  const [first, last] = [Math.min(...places.map((p) => p[1])), Math.max(...places.map((p) => p[1]))];
  const highest = Math.min(y + LABEL_REM * rem + size / 2, y + h - size / 2);
  const closer = first < highest && last > highest ? (last - highest) / (last - first) : 1;
  return new Map(units.map((i, k) => [i, centred([places[k][0], last - (last - places[k][1]) * closer], size)]));
}

/** The least distance between two devices of an area, in pixels. */
function pitchOf(units, sx, sy) {
  let least = Infinity;
  const places = units.map((i) => plant.units[i].at_m);
  places.forEach(([ax, ay], i) => {
    for (const [bx, by] of places.slice(i + 1)) least = Math.min(least, Math.max(Math.abs(ax - bx) * sx, Math.abs(ay - by) * sy));
  });
  return least;
}

const centred = ([x, y], size) => ({ x: x - size / 2, y: y - size / 2, w: size, h: size });

function roads(at) {
  const places = new Map(plant.roads.nodes.map(([id, , x, y]) => [id, at(x, y)]));
  const seen = new Set();
  const lanes = [];
  for (const [start, end] of plant.roads.edges) {
    const name = [start, end].sort().join("\n");
    if (seen.has(name)) continue;
    seen.add(name);
    lanes.push([...places.get(start), ...places.get(end)]);
  }
  return { lanes, chargers: plant.roads.chargers.map((id) => places.get(id)).filter(Boolean) };
}

/** One column: each area as wide as the screen, its devices in rows as they come. */
function stacked(areas, width, rem) {
  const size = 1.55 * rem;
  const step = size + 0.4 * rem;
  const inner = width - 2 * GAP_REM * rem;
  const columns = Math.max(1, Math.floor((inner + 0.4 * rem) / step));
  const squares = new Map();
  const boxes = [];
  let y = 0;
  for (const { area, units } of areas) {
    const rows = Math.ceil(units.length / columns);
    const h = TITLE_REM * rem + rows * step + 0.2 * rem;
    boxes.push({ area, units, x: 0.5, y: y + 0.5, w: width - 1, h });
    units.forEach((i, k) => {
      const left = GAP_REM * rem + (k % columns) * step;
      squares.set(i, { x: left, y: y + TITLE_REM * rem + Math.floor(k / columns) * step, w: size, h: size });
    });
    y += h + GAP_REM * rem;
  }
  return { boxes, squares, roads: { lanes: [], chargers: [] }, at: null, height: y, size, vehicle: 0 };
}
