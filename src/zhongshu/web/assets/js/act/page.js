/** Act: what the brain is doing now and why; its decisions, the vehicles, one order end to end, commands with their proof. */

import { byId } from "../dom.js";
import { Story } from "../story.js";
import { keep } from "./address.js";
import { showApprovals } from "./approvals.js";
import { Commands } from "./commands.js";
import { Decisions } from "./decisions.js";
import { Now } from "./now.js";
import { OrderPath } from "./order_path.js";
import { Reaction } from "./reaction.js";
import { Vehicles } from "./vehicles.js";

export function start() {
  const commands = new Commands();
  const path = new OrderPath(byId("path"), (order) => keep({ order }));
  const openOrder = (order) => {
    path.open(order);
    byId("path-card").scrollIntoView({ block: "start" });
  };
  new Story(byId("story"));
  new Now(byId("now"));
  const reaction = new Reaction(byId("reaction"));
  new Decisions(byId("decisions"), byId("decision"), {
    chosen: (decision) => keep({ decision }),
    read: (figures) => reaction.show(figures),
    openOrder,
  });
  new Vehicles(byId("vehicles"), openOrder);
  showApprovals();
  const asked = new URL(location.href).searchParams.get("order");
  if (asked) path.open(asked);
  else path.suggest();
  commands.load();
}
