/** Overview: what is wrong, what the brain does about it, which orders are late; map, panel and strip put together. */

import { byId, put } from "../dom.js";
import { Doing } from "../doing.js";
import { onFrame, picture } from "../live.js";
import { Story } from "../story.js";
import { n, t } from "../words.js";
import { Floor } from "./floor.js";
import { legend } from "./legend.js";
import { Orders } from "./orders.js";
import { Rows } from "./rows.js";
import { Strip } from "./strip.js";

export function start() {
  legend(byId("legend"));
  const floor = new Floor();
  const rows = new Rows(byId("floor-table"));
  new Story(byId("story"));
  new Doing(byId("doing"));
  new Orders(byId("orders"));
  new Strip(byId("strip"));
  onFrame((frame) => frame.h && put(byId("doing-note"), t("doing.recent", { n: n(picture.counts.recent?.proven ?? 0) })));
  const toggle = byId("as-table");
  toggle.onclick = () => {
    const table = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(table));
    toggle.textContent = t(table ? "map.as-map" : "map.as-table");
    byId("floor-table").hidden = !table;
    byId("floor-view").hidden = table;
    byId("legend").hidden = table;
    if (table) rows.show();
    else floor.fit();
  };
}
