/** The first module of every page: loads texts and model, opens the live channel, and hands over to the page's own module. */

import { byId } from "./dom.js";
import { connect, watchStale } from "./live.js";
import { loadPlant } from "./plant.js";
import { startSwitches, startTop } from "./top.js";
import { loadWords, t } from "./words.js";

const PAGES = {
  overview: "./overview/page.js",
  sense: "./sense/page.js",
  device: "./device/page.js",
  decide: "./decide/page.js",
  orders: "./orders/page.js",
  act: "./act/page.js",
  history: "./history/page.js",
};
const AGAIN_S = 3;

async function boot() {
  const page = byId("zs").dataset.page;
  try {
    const [module] = await Promise.all([import(PAGES[page]), loadWords(), loadPlant()]);
    startTop();
    watchStale();
    connect();
    module.start();
    document.body.dataset.started = page; // from here on a click does something
  } catch (error) {
    console.error(error);
    const stale = byId("stale");
    stale.hidden = false;
    stale.textContent = t("stale.load", { n: AGAIN_S });
    if (stale.textContent === "stale.load") stale.textContent = "…";
    setTimeout(boot, AGAIN_S * 1000);
  }
}

startSwitches();
boot();
