/** A unit's state as a small shape and a word, for tables. */

import { h, mark, put } from "./dom.js";
import { byHand, kindOf, modeName, stateWord } from "./plant.js";
import { t } from "./words.js";

/** Fill a cell with shape and word; a mode that is not production is told as well. */
export function stateCell(cell, row) {
  if (!cell.firstChild) cell.append(h("i", { class: "dot" }), h("span"));
  const kind = kindOf(row);
  mark(cell.firstChild, "data-kind", kind);
  mark(cell, "data-mark", kind === "down" ? "alarm" : null);
  put(cell.lastChild, stateWord(row) + (byHand(row) ? ` · ${t(`mode.${modeName(row)}`)}` : ""));
}

const QUALITIES = { "-1": ["never", "minor"], 0: ["good", null], 1: ["uncertain", "minor"], 2: ["bad", "warn"] };
const SHAPES = { warn: "▲ ", minor: "● " };

/** Fill a cell with the quality of a value; anything but Good in shape and colour. */
export function qualityCell(cell, quality) {
  const [word, badge] = QUALITIES[quality] ?? QUALITIES[-1];
  put(cell, (SHAPES[badge] ?? "") + t(`quality.${word}`));
  mark(cell, "data-mark", badge);
}
