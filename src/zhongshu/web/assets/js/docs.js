/** The API page: /api/openapi.json as a list of routes with their parameters, without anything from another host. */

import { byId, h } from "./dom.js";

function parameters(operation, components) {
  const rows = (operation.parameters ?? []).map((p) => [p.name, p.in, p.schema?.default ?? "", p.description ?? ""]);
  const body = operation.requestBody?.content?.["application/json"]?.schema?.$ref?.split("/").pop();
  for (const [name, field] of Object.entries(components[body]?.properties ?? {})) {
    rows.push([name, "body", field.default ?? "", field.description ?? ""]);
  }
  if (!rows.length) return null;
  return h("table", {}, h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((text, i) => h("td", {}, i ? String(text) : h("code", { text })))))));
}

const description = await (await fetch("/api/openapi.json")).json();
const place = byId("api");
place.append(h("p", {}, "Changing anything needs “Authorization: Bearer …” with the token of secrets/api.token in the data directory. Machine-readable: ", h("a", { href: "/api/openapi.json" }, h("code", { text: "/api/openapi.json" }))));
for (const [path, operations] of Object.entries(description.paths)) {
  for (const [verb, operation] of Object.entries(operations)) {
    const head = h("div", {}, h("code", { class: "verb", text: verb.toUpperCase() }), h("code", { text: path }));
    place.append(h("div", { class: "route" }, head, h("p", { text: operation.summary ?? "" }), parameters(operation, description.components?.schemas ?? {}) ?? ""));
  }
}
