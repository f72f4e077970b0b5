/** One line at the foot of the page that says what came of a deed, for eyes and screen readers. */

import { byId, h, put } from "../dom.js";

const SHOWN_MS = 7000;
let timer = 0;

/** Say it; a refusal stays until the next word. */
export function say(text, refused = false) {
  let toast = byId("toast");
  if (!toast) document.body.append((toast = h("div", { id: "toast", class: "o-toast", role: refused ? "alert" : "status" })));
  toast.hidden = false;
  toast.dataset.mark = refused ? "alarm" : "";
  put(toast, refused ? `■ ${text}` : text);
  clearTimeout(timer);
  timer = setTimeout(() => (toast.hidden = true), refused ? 3 * SHOWN_MS : SHOWN_MS);
}

/** Do it, say what came of it; true where it was done. */
export async function attempt(deed, told) {
  try {
    await deed();
  } catch (error) {
    say(error.message, true);
    return false;
  }
  if (told) say(told);
  return true;
}
