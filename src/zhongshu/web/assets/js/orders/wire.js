/** The order book's way to the API: asks that tell in this page's language why something was refused. */

import { language, t } from "../words.js";
import { plant } from "../plant.js";

/** Answer as JSON; throws an Error whose message is for people, with `body` where there was one. */
export async function call(method, url, body) {
  const json = body !== undefined && typeof body !== "string" && !(body instanceof Blob);
  let answer;
  let said = {};
  try {
    answer = await fetch(url, { method, headers: json ? { "Content-Type": "application/json" } : {}, body: json ? JSON.stringify(body) : body });
    said = await answer.json();
  } catch {
    throw new Error(t("plan.no-server"));
  }
  if (answer.ok) return said;
  const detail = Array.isArray(said.detail) ? said.detail.map((d) => d.msg).join("; ") : said.detail;
  throw Object.assign(new Error(said.error?.[language] ?? detail ?? String(answer.status)), { body: said, status: answer.status });
}

export const pathOf = (order) => `/api/orders/${encodeURIComponent(order)}`;

/** A moment as an input of the browser takes it, in the plant's zone; the API reads it back in that zone. */
export function inputTime(ms) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: plant.timezone, dateStyle: "short", timeStyle: "short" });
  return format.format(ms).replace(" ", "T");
}
