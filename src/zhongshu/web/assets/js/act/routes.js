/** The way that each vehicle has before it, drawn onto the floor map: from where it is, along its route, to where it sets down. */

import { picture } from "../live.js";
import { plant } from "../plant.js";

let places = null;

/** `missions`: by vehicle; the route of the chosen one is drawn stronger. */
export function drawRoutes(g, plan, { c }, missions, chosen) {
  if (!plan.at) return;
  places ??= new Map(plant.roads.nodes.map(([id, , x, y]) => [id, [x, y]]));
  g.save();
  g.lineJoin = "round";
  g.lineCap = "round";
  for (const [vehicle, mission] of missions) {
    const row = picture.vehicles[plant.vehicleOf.get(vehicle)];
    if (!mission || !row?.length || row[6] & 16) continue;
    const strong = vehicle === chosen;
    g.strokeStyle = strong ? c.now : c["gear-ink"];
    g.lineWidth = strong ? 3.5 : 1.4;
    g.setLineDash(strong ? [] : [5, 4]);
    draw(g, ahead(mission.route.map((id) => places.get(id)).filter(Boolean), [row[0], row[1]]).map(([x, y]) => plan.at(x, y)), strong ? 5 : 3);
  }
  g.restore();
}

function draw(g, way, size) {
  if (way.length < 2) return;
  g.beginPath();
  way.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)));
  g.stroke();
  const [x, y] = way.at(-1);
  g.fillStyle = g.strokeStyle;
  g.beginPath();
  g.arc(x, y, size, 0, 2 * Math.PI);
  g.fill();
}

/** What is left of a route for a vehicle here: from the piece of it that is nearest on. A place passed twice counts as passed once. */
export function ahead(route, here) {
  let [best, least] = [0, Infinity];
  for (let i = 0; i + 1 < route.length; i++) {
    const away = distance(here, route[i], route[i + 1]);
    if (away < least - 0.05) [best, least] = [i, away];
  }
  return [here, ...route.slice(best + 1)];
}

function distance([x, y], [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / Math.max(1e-9, dx * dx + dy * dy)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
