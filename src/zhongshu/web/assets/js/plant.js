/** The plant's model from /api/plant, with the indexes that components look things up by. */

import { label, setZone, t } from "./words.js";

export const plant = {
  units: [], areas: [], speed: 1, indexOf: new Map(), typeOf: new Map(), areaOf: new Map(), productOf: new Map(),
  vehicleOf: new Map(),
};

/** Fetch it; throws where the server does not answer. */
export async function loadPlant() {
  const answer = await fetch("/api/plant");
  if (!answer.ok) throw new Error(String(answer.status));
  Object.assign(plant, await answer.json());
  setZone(plant.timezone);
  plant.indexOf = new Map(plant.units.map((unit, i) => [unit.id, i]));
  plant.typeOf = new Map(plant.types.map((type) => [type.id, type]));
  plant.areaOf = new Map(plant.areas.map((area) => [area.id, area]));
  plant.productOf = new Map(plant.products.flatMap((product) => [[product.code, product], [product.id, product]]));
  plant.vehicleOf = new Map(plant.vehicles.map((id, i) => [id, i]));
}

/** A unit's name, or its id where the plant no longer has it. */
export function unitName(id) {
  const unit = plant.units[plant.indexOf.get(id)];
  return unit ? label(unit.name) : id;
}

export const productName = (codeOrId) => {
  const product = plant.productOf.get(codeOrId);
  return product ? label(product.name) : String(codeOrId);
};

export const areaName = (id) => label(plant.areaOf.get(id)?.name) || id;
export const typeName = (id) => label(plant.typeOf.get(id)?.name) || id;
export const isVehicle = (unit) => plant.vehicleOf.has(unit.id);

/** The kind of picture a unit's row asks for: run, idle, wait, stopped, down or stale. */
export function kindOf(row) {
  if (!row || row[5] & 1) return "stale";
  switch (row[0]) {
    case 3: case 6: case 16: return "run";
    case 5: case 10: case 11: case 12: case 13: case 14: return "wait";
    case 2: case 7: return "stopped";
    case 1: case 8: case 9: return "down";
    default: return "idle";
  }
}

/** The state in words; a stale unit says so. */
export function stateWord(row) {
  if (!row || row[5] & 2) return t("state.absent");
  return row[5] & 1 ? t("state.stale") : t(`state.${plant.states[row[0]] ?? "UNDEFINED"}`);
}

export const modeName = (row) => plant.modes[row?.[1]] ?? "UNDEFINED";

/** True where a person has taken the unit over: the brain neither plans nor commands it. */
export const byHand = (row) => Boolean(row) && !(row[5] & 2) && row[1] > 1;

/** What a unit works at: product and lot, or nothing. */
export function jobWord(row) {
  if (!row || !row[3]) return "";
  const product = row[4] ? productName(row[4]) : "";
  return [product, t("unit.lot", { lot: row[3] })].filter(Boolean).join(" · ");
}
