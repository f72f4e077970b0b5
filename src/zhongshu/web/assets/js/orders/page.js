/** Order book: what waits for a person, all orders with the live plan's word on them, one order, the journal. */

import { byId } from "../dom.js";
import { onFrame } from "../live.js";
import { Book } from "./book.js";
import { Held } from "./held.js";
import { importOrders, newOrder } from "./incoming.js";
import { Journal, StockTake } from "./journal.js";
import { One } from "./one.js";

const EVERY_MS = 4000;
/** The brain hears of a correction over the bus and enters it a moment later. */
const SOON_MS = [150, 900];

export function start() {
  const open = (order) => {
    book.choose(order);
    one.open(order);
    history.replaceState(null, "", `?${new URLSearchParams({ order })}`);
    if (matchMedia("(max-width: 61rem)").matches) byId("one").scrollIntoView({ block: "start" });
  };
  const refresh = () => {
    for (const part of [book, held, one, journal, stock]) part.load().catch(() => {});
  };
  const after = (what) => {
    if (what === "closed") {
      book.choose("");
      history.replaceState(null, "", location.pathname);
      return;
    }
    for (const ms of SOON_MS) setTimeout(refresh, ms);
  };
  const book = new Book(open);
  const held = new Held(open, after);
  const one = new One(after);
  const journal = new Journal(after);
  const stock = new StockTake(after);
  byId("order-new").onclick = async () => {
    const order = await newOrder();
    if (order) {
      after();
      open(order);
    }
  };
  byId("order-import").onclick = async () => (await importOrders()) && after();
  onFrame((frame) => frame.o && book.load().catch(() => {}));
  setInterval(() => document.hidden || refresh(), EVERY_MS);
  refresh();
  const asked = new URL(location.href).searchParams.get("order");
  if (asked) open(asked);
}
