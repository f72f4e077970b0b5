/** Sense: how well the plant is heard, from connections down to single devices, and what is known to be missing. */

import { byId } from "../dom.js";
import { onFrame, picture, watch } from "../live.js";
import { Connections } from "./connections.js";
import { Devices } from "./devices.js";
import { Gaps } from "./gaps.js";
import { Hops } from "./hops.js";
import { Latency } from "./latency.js";

export function start() {
  watch("sense");
  const connections = new Connections(byId("connections"));
  const devices = new Devices(byId("devices"));
  const hops = new Hops(byId("hops"));
  new Latency(byId("latency"));
  new Gaps(byId("gaps"));
  onFrame((frame) => {
    if (frame.k === "s" || frame.l) connections.show(picture.links);
    if (frame.k === "s" || frame.h) hops.show(picture.counts);
    if (frame.k === "n" || frame.k === "s") devices.show();
  });
  setInterval(() => {
    connections.show(picture.links);
    devices.show();
  }, 1000);
}
