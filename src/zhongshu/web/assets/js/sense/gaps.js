/** The gap ledger: what is known to be missing, of whom, when and why; asked for again when its count moved. */

import { Table, byId, put } from "../dom.js";
import { onFrame, picture } from "../live.js";
import { plant, unitName } from "../plant.js";
import { clock, day, lasting, n, t, told } from "../words.js";

export class Gaps {
  constructor(place) {
    const columns = [
      { title: t("table.span"), text: spanWord },
      { title: t("table.since"), class: "num", text: (gap) => lasting(gap.end_ms - gap.start_ms) },
      { title: t("table.device"), text: (gap) => (gap.unit ? unitName(gap.unit) : gap.connection) },
      { title: t("table.cause"), text: (gap) => told("cause", gap.cause) },
      { title: t("table.missing"), class: "num", text: (gap) => (gap.missing < 0 ? t("sense.gaps-unknown") : n(gap.missing)) },
    ];
    const open = (gap) => plant.indexOf.has(gap.unit) && (location.href = `/device/${encodeURIComponent(gap.unit)}`);
    this.table = new Table(place, columns, { key: (gap) => gap.id, label: t("sense.gaps"), empty: t("sense.gaps-none"), onRow: open });
    this.seen = undefined;
    onFrame((frame) => frame.h && picture.counts.gaps !== this.seen && this.load());
    this.load();
  }

  async load() {
    this.seen = picture.counts.gaps;
    const answer = await fetch("/api/gaps?limit=200");
    if (!answer.ok) return;
    const { total, missing, gaps } = await answer.json();
    this.table.show(gaps);
    put(byId("gaps-note"), total ? t("sense.gaps-note", { total: n(total), missing: n(missing) }) : "");
  }
}

const spanWord = (gap) => `${day(gap.start_ms)} ${clock(gap.start_ms)} – ${clock(gap.end_ms)}`;
