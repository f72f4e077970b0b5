/** New orders: one by a form, many by a file that is shown line by line before anything is taken in. */

import { h } from "../dom.js";
import { inquire, personField } from "../decide/dialog.js";
import { label } from "../words.js";
import { plant, productName } from "../plant.js";
import { moment, n, t } from "../words.js";
import { now } from "./book.js";
import { attempt, say } from "./said.js";
import { call, inputTime } from "./wire.js";

const DAY_MS = 86_400_000;
const SHOWN = 300;

/** One order; true where it was taken in. */
export async function newOrder() {
  const products = plant.products.filter((p) => p.sellable !== false).map((p) => [p.id, `${label(p.name)} · ${p.id}`]);
  const said = await inquire({
    title: t("book.new-title"),
    fields: [
      { name: "id", label: t("orders.id") }, { name: "product", type: "select", label: t("orders.product"), options: products },
      { name: "quantity", type: "number", label: t("book.quantity"), value: 20, min: 1, max: 100000 },
      { name: "due", type: "datetime-local", label: t("orders.due"), value: inputTime(now() + DAY_MS) },
      { name: "priority", type: "number", label: t("book.priority"), value: 5, min: 0, max: 9 }, personField(),
    ],
    confirm: t("book.new"),
  });
  if (!said) return "";
  const { person, ...order } = said;
  return (await attempt(() => call("POST", "/api/orders", { ...order, by: person }), t("book.taken", { order: order.id }))) ? order.id : "";
}

/** A file of orders; true where it was taken in. */
export async function importOrders() {
  const file = await chosen();
  if (!file) return false;
  let preview;
  try {
    preview = await call("POST", "/api/orders/import?preview=true", file);
  } catch (error) {
    say(error.message, true);
    return false;
  }
  const bad = preview.errors > 0;
  const said = await inquire({
    title: t("import.title", { file: file.name }), note: t(bad ? "import.bad" : "import.good", { n: n(preview.orders.length), errors: n(preview.errors), fresh: n(preview.new), known: n(preview.known) }),
    content: table(preview.orders), fields: bad ? [] : [personField()], confirm: t(bad ? "dialog.close" : "import.take", { n: n(preview.new) }), wide: true,
  });
  if (!said || bad) return false;
  return attempt(() => call("POST", `/api/orders/import?${new URLSearchParams({ by: said.person })}`, file), t("import.taken", { n: n(preview.new) }));
}

/** The browser's own file dialog; also the way in for tests and for files dropped on the page. */
function chosen() {
  return new Promise((resolve) => {
    const input = h("input", { type: "file", id: "order-file", accept: ".csv,.txt,.xml,text/csv,application/xml", hidden: true });
    input.onchange = () => resolve(input.files[0] ?? null);
    input.oncancel = () => resolve(null);
    document.getElementById("order-file")?.remove();
    document.body.append(input);
    input.click();
  });
}

function table(orders) {
  const wrong = orders.filter((o) => o.errors.length);
  const shown = [...wrong, ...orders.filter((o) => !o.errors.length)].slice(0, SHOWN);
  const heads = ["import.line", "orders.id", "orders.product", "book.quantity", "orders.due", "book.priority", "import.verdict"];
  const row = (o) => h("tr", {},
    h("td", { class: "num", text: o.line }), h("td", { text: o.id || "–" }), h("td", { text: o.state === "error" ? o.product : productName(o.product) }),
    h("td", { class: "num", text: o.quantity }), h("td", { text: o.due_ms ? moment(o.due_ms, now()) : o.due || "–" }), h("td", { class: "num", text: o.priority }),
    h("td", { class: "o-verdict", "data-mark": o.errors.length ? "alarm" : null, text: o.errors.length ? `■ ${o.errors.map(label).join("; ")}` : t(`import.${o.state}`) }));
  const head = h("tr", {}, ...heads.map((key) => h("th", { scope: "col", text: t(key) })));
  const more = orders.length > SHOWN ? h("p", { class: "note", text: t("orders.more", { n: n(orders.length - SHOWN) }) }) : null;
  return h("div", { class: "d-list" }, h("table", { "aria-label": t("import.verdict") }, h("thead", {}, head), h("tbody", {}, ...shown.map(row))), more);
}
