/** One decision: the measured fact, the options with what they cost, what is expected of which order and what came, the hops. */

import { h } from "../dom.js";
import { unitName } from "../plant.js";
import { came, did, expects, happened, staged } from "../story.js";
import { clock, has, moment, n, seconds, span, stamp, t } from "../words.js";
import { hopStrip } from "./hops.js";

/** Fill `place`; `openOrder(id)` shows an order end to end. */
export function detail(place, d, openOrder) {
  place.replaceChildren(
    h("h3", { class: "d-what", text: happened(d) }),
    h("p", { class: "d-did", text: [did(d), expects(d)].filter(Boolean).join(t("did.stop")) }),
    ...[came(d), staged(d) ? t("story.demo-hint") : ""].filter(Boolean).map((text) => h("p", { class: "note", text })),
    fact(d),
    h("h3", { text: t("decided.options") }), options(d),
    h("h3", { text: t("decided.orders", { n: n(d.orders_concerned) }) }), orders(d, openOrder),
    h("h3", { text: t("hops.title") }), hopStrip(d.hops),
    followers(d),
    moved(d),
  );
}

function fact(d) {
  const f = d.trigger;
  const pair = (key, text, href) => h("div", { class: "pair" }, h("span", { text: t(key) }), href ? h("a", { href, text }) : h("b", { text }));
  const states = f.state ? [f.previous_state, f.state].map((s) => t(has(`state.${s}`) ? `state.${s}` : "state.UNDEFINED")).join(" → ") : "";
  return h("div", { class: "head d-fact" },
    f.unit ? pair("table.device", unitName(f.unit), `/device/${encodeURIComponent(f.unit)}`) : null,
    states ? pair("decided.state", states) : null,
    f.task ? pair("decided.task", f.task) : null,
    f.t_ms ? pair("decided.measured", stamp(f.t_ms)) : null,
    f.seen_wall_ms ? pair("decided.seen", new Date(f.seen_wall_ms).toLocaleTimeString("sv-SE")) : null,
    f.with ? pair("decided.with", n(f.with)) : null,
    d.by ? pair("decided.by", d.by) : null,
    pair("decided.plan", `№ ${d.version}`, "/decide"));
}

const PARTS = [
  ["decided.part-delay", (o) => o.weighted_tardiness_s, (v) => (v ? span(v * 1000) : "0")],
  ["decided.part-late", (o) => o.late, (v) => n(v)],
  ["decided.part-setups", (o) => o.setups, (v) => n(v)],
  ["decided.part-energy", (o) => o.energy_cost, (v) => n(v)],
  ["decided.part-moved", (o) => o.moved, (v) => n(v)],
  ["decided.part-objective", (o) => o.objective, (v, chosen) => (chosen ? `${n((100 * v) / chosen, 1)} %` : n(v))],
];

function options(d) {
  const most = Math.max(...d.options.map((o) => o.objective ?? 0), 1);
  const chosen = d.options.find((o) => o.chosen)?.objective;
  const row = (o) => {
    const known = o.objective !== undefined && o.objective !== null;
    const name = h("td", {}, h("div", { text: `${o.chosen ? "✓ " : ""}${t(`option.${o.name}`)}` }), h("div", { class: "why", text: outcome(o) }));
    const cells = PARTS.map(([, of, say], i) => {
      const value = of(o);
      const last = i === PARTS.length - 1 && known;
      const bar = last ? h("i", { class: "bar", "aria-hidden": "true" }, h("i", { style: `width:${(100 * value) / most}%` })) : null;
      return h("td", { class: "num" }, value === undefined || value === null ? "–" : say(value, chosen), bar);
    });
    return h("tr", { "data-chosen": o.chosen ? "" : null }, name, ...cells);
  };
  const head = h("tr", {}, h("th", { scope: "col", text: t("decided.option") }), ...PARTS.map(([key]) => h("th", { scope: "col", class: "num", text: t(key) })));
  const notes = d.gave_way.map((words) => h("li", { text: words[document.documentElement.lang.slice(0, 2)] ?? words.en }));
  return h("div", { class: "scroll" }, h("table", { class: "d-options", "aria-label": t("decided.options") }, h("thead", {}, head), h("tbody", {}, ...d.options.map(row))),
    notes.length ? h("ul", { class: "note" }, ...notes) : null);
}

/** What became of an option that was tried later. */
function outcome(o) {
  if (o.name !== "improved" || o.seconds === undefined) return o.name === "carried_on" && !o.chosen ? t("option.carried-note") : "";
  if (o.became) return t("option.became", { s: seconds(o.seconds * 1000), version: o.became });
  return t(o.cut_short ? "option.cut-short" : "option.no-better", { s: seconds(o.seconds * 1000) });
}

function orders(d, openOrder) {
  if (!d.orders.length) return h("p", { class: "none", text: t("decided.no-orders") });
  const row = (o) => {
    const button = h("button", { type: "button", class: "plain as-link", text: o.id });
    button.onclick = () => openOrder(o.id);
    const end = o.actual_ms ?? o.expected_ms;
    const late = end - o.due_ms > 0;
    const real = o.status === "open" ? t("decided.open") : o.status === "done" && o.actual_ms ? moment(o.actual_ms, d.t_ms) : t(`book.status-${o.status}`);
    const off = o.status === "done" && o.actual_ms ? o.actual_ms - o.expected_ms : 0;
    const said = off ? t(off > 0 ? "decided.off-later" : "decided.off-earlier", { time: span(off) }) : "";
    return h("tr", {}, h("td", {}, button), h("td", { class: "num", text: moment(o.due_ms, d.t_ms) }), h("td", { class: "num", text: o.was_ms ? moment(o.was_ms, d.t_ms) : t("decided.new") }),
      h("td", { class: "num", text: moment(o.expected_ms, d.t_ms) }), h("td", { class: "num", "data-mark": late ? "alarm" : null, text: late ? `■ ${span(end - o.due_ms)}` : t("book.on-time") }),
      h("td", { class: "num" }, real, said ? h("div", { class: "why", text: said }) : null));
  };
  const heads = ["orders.id", "orders.due", "decided.was", "decided.expected", "decided.lateness", "decided.actual"];
  const table = h("table", { "aria-label": t("decided.orders", { n: n(d.orders_concerned) }) },
    h("thead", {}, h("tr", {}, ...heads.map((key, i) => h("th", { scope: "col", class: i ? "num" : null, text: t(key) })))), h("tbody", {}, ...d.orders.map(row)));
  const rest = d.orders_concerned - d.orders.length;
  return h("div", { class: "scroll d-orders" }, table, rest > 0 ? h("p", { class: "note", text: t("orders.more", { n: n(rest) }) }) : null);
}

function followers(d) {
  const one = (key, about) => {
    if (!about) return null;
    const at = about.hops.proven ?? about.hops.accepted ?? about.hops.sent ?? about.hops.proposed;
    const status = about.status ? t(`chain.${about.status}`) : t("chain.proposed");
    return h("li", {}, h("span", { text: t(key) }), h("a", { href: `/device/${encodeURIComponent(about.unit)}`, text: unitName(about.unit) }), h("span", { text: `${t(has(`verb.${about.verb}`) ? `verb.${about.verb}` : "table.command")} · ${status}${about.status === "proven" ? " ✓" : ""} · ${seconds(at)} s` }));
  };
  const found = [one("follow.first", d.first), d.jobs ? one("follow.moved", d.follows) : null].filter(Boolean);
  return found.length ? h("ul", { class: "d-follow" }, ...found) : h("p", { class: "note", text: t("follow.none") });
}

function moved(d) {
  if (!d.moved.length) return "";
  const row = (job) => h("tr", {}, h("td", { text: job.order }), h("td", { class: "num", text: job.task }), h("td", { text: `${unitName(job.from)} → ${unitName(job.to)}` }), h("td", { class: "num", text: `${clock(job.was_ms).slice(0, 5)} → ${clock(job.start_ms).slice(0, 5)}` }));
  const heads = ["orders.id", "decided.task", "decided.from-to", "decided.begins"];
  return h("details", {}, h("summary", { text: t("decided.jobs", { n: n(d.jobs) }) }), h("table", { "aria-label": t("decided.jobs", { n: n(d.jobs) }) },
    h("thead", {}, h("tr", {}, ...heads.map((key) => h("th", { scope: "col", text: t(key) })))), h("tbody", {}, ...d.moved.map(row))));
}
