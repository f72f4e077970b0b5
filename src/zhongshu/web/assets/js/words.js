/** Texts, numbers and times as people read them: texts from /api/words, times in the plant's own zone. */

const root = document.getElementById("zs");
export const language = root?.dataset.language ?? "zh";
let texts = {};
let zone = "UTC";
const formats = {};

/** Fetch the texts of this page's language. */
export async function loadWords() {
  const answer = await fetch(`/api/words/${language}`);
  texts = await answer.json();
}

export function setZone(name) {
  zone = name;
}

export const has = (key) => key in texts;

/** The text of a key with its places filled; the key itself where there is none, so that a lack is seen. */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** A word for something the brain says in English (a reason, a cause), or what it said. */
export const told = (group, word) => texts[`${group}.${word}`] ?? word.replaceAll("_", " ");

/** A label in this page's language. */
export const label = (both) => (both ? (both[language] ?? "") : "");

/** A count with thin spaces between thousands; a dash where nobody said it. */
export function n(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const [whole, rest] = Math.abs(value).toFixed(digits).split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
  return (value < 0 ? "−" : "") + spaced + (rest ? `.${rest}` : "");
}

/** A measured value: as many digits as mean something. */
export function measured(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return n(value);
  const size = Math.abs(value);
  return n(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3);
}

function format(name, options) {
  formats[name] ??= new Intl.DateTimeFormat("sv-SE", { timeZone: zone, hour12: false, ...options });
  return formats[name];
}

/** 14:26:08 in the plant's zone. */
export const clock = (ms) => format("clock", { timeStyle: "medium" }).format(ms);

/** 11-23 in the plant's zone. */
export const day = (ms) => format("day", { dateStyle: "short" }).format(ms).slice(5);

/** 14:26 today, 11-24 14:26 on another day than `now`. */
export function moment(ms, now) {
  const time = clock(ms).slice(0, 5);
  return now !== undefined && day(ms) === day(now) ? time : `${day(ms)} ${time}`;
}

/** 11-23 14:26:08. */
export const stamp = (ms) => `${day(ms)} ${clock(ms)}`;

/** 0:16, 1:04:30: how long, as on a stop watch. */
export function lasting(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor(s / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/** 3 min, 2 h, 5 d: how long, roughly. */
export function span(ms) {
  const s = Math.abs(ms) / 1000;
  if (s < 90) return t("unit.s", { n: Math.round(s) });
  if (s < 5400) return t("unit.min", { n: Math.round(s / 60) });
  if (s < 172800) return t("unit.h", { n: (s / 3600).toFixed(s < 36000 ? 1 : 0) });
  return t("unit.d", { n: Math.round(s / 86400) });
}

/** How long ago. */
export function age(ms, now) {
  if (!ms) return t("age.never");
  const s = Math.max(0, (now - ms) / 1000);
  if (s < 2) return t("age.now");
  if (s < 90) return t("age.s", { n: Math.round(s) });
  if (s < 5400) return t("age.min", { n: Math.round(s / 60) });
  if (s < 172800) return t("age.h", { n: Math.round(s / 3600) });
  return t("age.d", { n: Math.round(s / 86400) });
}

/** .04, .4, 1.1, 12: seconds for a proof chain. */
export function seconds(ms) {
  const s = Math.max(0, ms) / 1000;
  const said = s < 0.095 ? s.toFixed(2) : s < 9.95 ? s.toFixed(1) : n(s);
  return said.replace(/^0\./, ".");
}
