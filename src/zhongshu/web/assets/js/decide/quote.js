/** “When could you have it?”: product and quantity to the planner, a date with its reason back. */

import { byId, h } from "../dom.js";
import { plant } from "../plant.js";
import { label, moment, n, t } from "../words.js";
import { ask, said } from "./ask.js";

export function startQuote() {
  const product = h("select", { name: "product", "aria-label": t("orders.product") }, ...plant.products.filter((p) => p.sellable).map((p) => h("option", { value: p.id, text: label(p.name) })));
  const quantity = h("input", { name: "quantity", type: "number", min: 1, max: 100000, value: "40", required: true, "aria-label": t("quote.quantity") });
  const go = h("button", { class: "plain", type: "submit", text: t("quote.ask") });
  const answer = h("p", { class: "d-answer", role: "status" });
  const form = h("form", { class: "d-quote" }, product, quantity, go, answer);
  form.onsubmit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    answer.removeAttribute("data-mark");
    answer.replaceChildren(h("span", { class: "d-spin", "aria-hidden": "true" }), t("quote.asking"));
    try {
      const found = await ask({ what: "quote", product: product.value, quantity: Number(quantity.value) });
      answer.replaceChildren(h("b", { text: moment(found.end_ns / 1e6) }), h("span", { text: said(found.reason) }), h("small", { text: t("quote.took", { s: n(found.time_s, 2) }) }));
    } catch (error) {
      answer.dataset.mark = "warn";
      answer.replaceChildren(`▲ ${error.message}`);
    }
    go.disabled = false;
  };
  byId("quote").replaceChildren(form);
}
