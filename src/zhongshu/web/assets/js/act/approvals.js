/** The place of the approval queue and the autonomy ladder: shown only where the plant's API has them. */

import { h } from "../dom.js";
import { t } from "../words.js";

const PATH = "/api/autonomy";

/** Asks the API's own description, because a missing address would be an error in every browser's console. */
export async function showApprovals(card, place) {
  const answer = await fetch("/api/openapi.json");
  if (!answer.ok) return;
  const { paths } = await answer.json();
  const found = Object.keys(paths).filter((path) => path.startsWith(PATH));
  card.hidden = !found.length;
  if (found.length) place.replaceChildren(h("p", { class: "none", text: t("approvals.none") }));
}
