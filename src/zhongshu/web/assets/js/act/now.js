/** What the brain is doing now and why: the plan that dispatch goes by, why it is in force, and what the floor is busy with. */

import { h, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { did, expects, happened } from "../story.js";
import { age, n, t } from "../words.js";

export class Now {
  constructor(place) {
    this.why = h("p", { class: "now-why" });
    this.effect = h("p", { class: "now-effect" });
    this.floor = h("p", { class: "note" });
    place.replaceChildren(this.why, this.effect, this.floor);
    onFrame((frame) => (frame.d || frame.h || frame.o || frame.k === "s") && this.show());
  }

  show() {
    const [newest] = picture.decisions.newest ?? [];
    const { plan, orders: floor } = picture.counts;
    if (!newest) put(this.why, t(plan?.version ? "now.no-decision" : "now.no-plan"));
    else put(this.why, `${happened(newest)} — ${did(newest)}`);
    const better = picture.decisions.improved;
    const since = newest && better && better.t_ms > newest.t_ms ? t("now.improved", { version: n(better.version) }) : "";
    put(this.effect, newest ? [expects(newest), since].filter(Boolean).join(t("did.stop")) : "");
    const running = floor?.lots_running;
    const version = floor?.plan || plan?.version;
    const parts = [
      version ? t("now.plan", { version: n(version) }) : t("now.rule"),
      newest ? t("now.since", { age: age(newest.trigger.seen_wall_ms, picture.wallMs) }) : "",
      running === undefined ? "" : t("now.floor", { running: n(running), open: n(floor.lots_open), orders: n(floor.orders_open) }),
      plan?.late === null || plan?.late === undefined ? "" : t(plan.late ? "now.late" : "now.none-late", { n: n(plan.late) }),
    ];
    put(this.floor, parts.filter(Boolean).join(" · "));
  }
}
