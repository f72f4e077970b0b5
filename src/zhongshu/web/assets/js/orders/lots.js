/** Lots a person can put right: what is known of each, and the dialogs for count, place, hold and release. */

import { h } from "../dom.js";
import { inquire, personField } from "../decide/dialog.js";
import { plant, productName, unitName } from "../plant.js";
import { has, n, t } from "../words.js";
import { attempt } from "./said.js";
import { call } from "./wire.js";

const AT_WORK = ["starting", "running"];
const ENDED = ["stored", "consumed", "cancelled", "left"];

/** Where it lies and what comes next. */
export function whereText(lot) {
  const place = lot.place ? `${unitName(lot.place)} · ${t(lot.at_output ? "lot.behind" : "lot.before")}` : t("lot.nowhere");
  return lot.status === "stored" ? t("lot.in-store") : place;
}

export const statusText = (lot) => t(`lot.status-${lot.status}`) + (lot.hold && lot.status !== "held" ? ` · ${t("lot.will-hold")}` : "");
export const piecesText = (lot) => t("lot.pieces", { good: n(lot.good), scrap: n(lot.scrap), quantity: n(lot.quantity) });

/** Why it is held, and what is wanted of the person. */
export const wantedText = (lot) => (lot.can_release === false ? t("hold.parts-gone") : has(`hold.${lot.hold}`) ? t(`hold.${lot.hold}`) : lot.hold);

/** Buttons for whatever makes sense now. */
export function actions(lot, after) {
  const ended = ENDED.includes(lot.status);
  const give = (key, deed, danger = false) => {
    const button = h("button", { type: "button", class: "plain", text: t(key), "data-danger": danger });
    button.onclick = async (event) => {
      event.stopPropagation();
      if (await deed(lot)) after();
    };
    return button;
  };
  const held = lot.status === "held" || lot.hold;
  return h("span", { class: "o-acts" },
    held && lot.can_release !== false ? give("lot.release", release) : null,
    !ended && !held ? give("lot.hold", hold) : null,
    lot.exists && !AT_WORK.includes(lot.status) && lot.status !== "cancelled" && lot.status !== "consumed" ? give("lot.count", count) : null,
    lot.exists && !ended ? give("lot.move", move) : null,
  );
}

const titled = (lot) => `${t("unit.lot", { lot: lot.lot })} · ${productName(lot.product)}`;
const note = () => ({ name: "note", label: t("book.note"), required: false });

function correct(lot, body, told) {
  return attempt(() => call("POST", `/api/lots/${lot.lot}/corrections`, body), told);
}

async function count(lot) {
  const number = (name, value) => ({ name, type: "number", label: t(`lot.${name}`), value, min: 0, max: lot.quantity });
  const said = await inquire({
    title: t("lot.count-title", { lot: titled(lot) }), note: t("lot.count-note", { quantity: n(lot.quantity) }),
    fields: [number("good", lot.good), number("scrap", lot.scrap), note(), personField()], confirm: t("lot.count"),
  });
  if (!said) return false;
  if (said.good === 0 && !(await sure(lot))) return false;
  return correct(lot, { kind: "count", good: said.good, scrap: said.scrap, note: said.note, by: said.person }, t("lot.told"));
}

const sure = (lot) => inquire({ title: t("lot.scrap-title", { lot: titled(lot) }), note: t("lot.scrap-note"), confirm: t("lot.scrap-all"), danger: true });

async function move(lot) {
  const units = plant.units.filter((unit) => !plant.vehicleOf.has(unit.id)).map((unit) => [unit.id, `${unitName(unit.id)} · ${unit.id}`]);
  const said = await inquire({
    title: t("lot.move-title", { lot: titled(lot) }), note: t("lot.move-note"),
    fields: [
      { name: "place", type: "select", label: t("lot.place"), options: units, value: lot.place },
      { name: "side", type: "select", label: t("lot.side"), options: [["", t("lot.side-auto")], ["in", t("lot.before")], ["out", t("lot.behind")]] },
      note(), personField(),
    ],
    confirm: t("lot.move"),
  });
  return said && correct(lot, { kind: "move", place: said.place, side: said.side, note: said.note, by: said.person }, t("lot.told"));
}

async function hold(lot) {
  const said = await inquire({ title: t("lot.hold-title", { lot: titled(lot) }), note: t("lot.hold-note"), fields: [note(), personField()], confirm: t("lot.hold") });
  return said && correct(lot, { kind: "hold", note: said.note, by: said.person }, t("lot.told"));
}

async function release(lot) {
  const said = await inquire({ title: t("lot.release-title", { lot: titled(lot) }), note: wantedText(lot), fields: [note(), personField()], confirm: t("lot.release") });
  return said && correct(lot, { kind: "release", note: said.note, by: said.person }, t("lot.told"));
}
