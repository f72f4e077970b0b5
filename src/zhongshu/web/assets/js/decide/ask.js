/** Questions to the planner over /api/plan/ask, and what it refuses in this page's words. */

import { language, t } from "../words.js";

/** Why the planner said no, in this page's language. */
export class Refusal extends Error {
  constructor(error, status) {
    super(error?.[language] || error?.en || t("plan.no-answer"));
    this.status = status;
  }
}

/** Its answer; throws Refusal. `leaving` lets the question outlive the page. */
export async function ask(question, leaving = false) {
  let answer;
  let body;
  try {
    answer = await fetch("/api/plan/ask", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question), keepalive: leaving });
    body = await answer.json();
  } catch {
    throw new Refusal({ zh: t("plan.no-server"), en: t("plan.no-server") }, 0);
  }
  if (!answer.ok || body.ok === false) throw new Refusal(body.error ?? { en: typeof body.detail === "string" ? body.detail : "" }, answer.status);
  return body;
}

/** GET as JSON; throws with the status where it is not 200. */
export async function get(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { status: answer.status });
  return answer.json();
}

/** Both languages to the one of this page. */
export const said = (both) => (both ? (both[language] ?? both.en ?? "") : "");

/** The person at this browser, as they once told it. */
export function person() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("zs_person="));
  return found ? decodeURIComponent(found.slice(10)) : "";
}

export function setPerson(name) {
  document.cookie = `zs_person=${encodeURIComponent(name)}; Path=/; Max-Age=31536000; SameSite=Lax`;
}
