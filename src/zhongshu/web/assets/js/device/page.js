/** A device: its state and job, all its points live, small trends, and what the brain asked of it. */

import { byId, h } from "../dom.js";
import { Doing } from "../doing.js";
import { onFrame, picture, watch } from "../live.js";
import { plant } from "../plant.js";
import { t } from "../words.js";
import { Head } from "./head.js";
import { Points } from "./points.js";
import { Trends } from "./trends.js";

export async function start() {
  const id = byId("zs").dataset.unit;
  const index = plant.indexOf.get(id);
  if (index === undefined) {
    byId("main").replaceChildren(h("p", { class: "none", text: t("device.missing", { unit: id }) }));
    return;
  }
  watch(id);
  const head = new Head(byId("device-head"), index);
  const answer = await fetch(`/api/units/${encodeURIComponent(id)}`);
  const { points } = await answer.json();
  points.forEach((point, i) => picture.points.set(i, picture.points.get(i) ?? [point.value, point.quality, point.t_ms]));
  const list = new Points(byId("points"), points);
  const doing = new Doing(byId("doing"), { unit: id, most: 8 });
  new Trends(byId("trends"), points);
  onFrame((frame) => {
    if (frame.k === "p" || frame.k === "s") list.show();
    head.show();
  });
  setInterval(() => head.show(), 1000);
  list.show();
  const past = await fetch(`/api/commands?unit=${encodeURIComponent(id)}&limit=20`);
  if (past.ok) doing.add((await past.json()).commands);
}
