/** A question to the person: a few fields, or a list to look at, and one button that goes on. */

import { h } from "../dom.js";
import { t } from "../words.js";
import { person, setPerson } from "./ask.js";

/**
 * @param fields [{name, label, type, value, options, min, max, required}]; type person remembers the name for next time
 * @returns the values by name, or null where the person turned back
 */
export function inquire({ title, note = "", fields = [], content = null, confirm, danger = false, wide = false }) {
  return new Promise((resolve) => {
    const inputs = new Map();
    const rows = fields.map((field) => {
      const input = made(field);
      inputs.set(field.name, input);
      return h("label", { class: "d-field" }, h("span", { text: field.label }), input);
    });
    const go = h("button", { class: "plain primary", type: "submit", text: confirm, "data-danger": danger });
    const back = h("button", { class: "plain", type: "button", text: t("dialog.cancel") });
    const form = h("form", { method: "dialog" }, h("h2", { text: title }), note ? h("p", { class: "note", text: note }) : null, content, ...rows, h("div", { class: "d-buttons" }, back, go));
    const dialog = h("dialog", { class: wide ? "d-dialog wide" : "d-dialog", "aria-label": title }, form);
    let answer = null;
    back.onclick = () => dialog.close();
    form.onsubmit = () => {
      answer = Object.fromEntries([...inputs].map(([name, input]) => [name, input.type === "number" ? Number(input.value) : input.value.trim()]));
      if (answer.person) setPerson(answer.person);
    };
    dialog.onclose = () => {
      dialog.remove();
      resolve(answer);
    };
    document.body.append(dialog);
    dialog.showModal();
    (inputs.values().next().value ?? go).focus();
  });
}

function made({ name, type = "text", value = "", options = [], min, max, required = true }) {
  if (type === "select") {
    const select = h("select", { name }, ...options.map(([key, text]) => h("option", { value: key, text, selected: key === value })));
    return select;
  }
  if (type === "person") return h("input", { name, type: "text", value: person(), required: true, maxlength: 64, autocomplete: "name" });
  return h("input", { name, type, value: String(value), min, max, required, maxlength: type === "text" ? 64 : null, step: type === "datetime-local" ? 60 : null });
}

export const personField = () => ({ name: "person", type: "person", label: t("dialog.person") });

/** Plant time for an input of the browser, in the plant's zone; and back to ms. */
export const toInput = (ms, ahead) => new Date(ms + ahead * 1000).toISOString().slice(0, 16);
export const fromInput = (text, ahead) => Date.parse(`${text}Z`) - ahead * 1000;
