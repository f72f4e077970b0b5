/** Time in which a unit does not work, told apart by its hatching: break, maintenance, breakdown; and overtime, in which it does. */

import { lasting, t } from "../words.js";
import { FONT, anchor, cut, hatching } from "./paint.js";

/** Patterns of the theme, made once a theme and screen. */
export function hatchings(g, c, ratio, rem) {
  const [gap, line] = [0.42 * rem, rem / 16];
  return {
    break: hatching(g, c.closed, ratio, gap, line),
    maintenance: hatching(g, c.hatch, ratio, gap * 1.15, line, true),
    down: hatching(g, c.alarm, ratio, gap, 1.3 * line),
  };
}

/** The row's intervals in sight. */
export function drawClosed(g, row, y, view, look) {
  for (const [from, to, kind] of row.closed) {
    if (to < view.t0) continue;
    if (from > view.end) return;
    const x = Math.max(view.x(from), view.gutter - 4);
    const wide = Math.min(view.x(to), view.width + 4) - x;
    if (wide < 0.7) continue;
    if (kind === "overtime") overtime(g, x, y, wide, view, look);
    else hatched(g, kind, view.x(from), x, y, wide, view, look);
    if (kind !== "break" && kind !== "overtime" && view.row >= 14) name(g, kind, to - from, x, y, wide, view, look);
  }
}

function hatched(g, kind, origin, x, y, wide, view, look) {
  const pattern = look.hatch[kind] ?? look.hatch.break;
  anchor(pattern, origin % 1000, y % 1000);
  g.fillStyle = pattern;
  const inset = kind === "down" ? Math.min(3, view.row * 0.14) : 0;
  g.fillRect(x, y + inset, wide, view.row - 2 * inset - (inset ? 0 : 1));
  if (kind === "break") return;
  g.strokeStyle = kind === "down" ? look.c.alarm : look.c.hatch;
  g.lineWidth = kind === "down" ? 1.5 : 1;
  g.strokeRect(x, y + Math.max(1, inset), wide, view.row - 2 * Math.max(1, inset));
}

/** Work where there usually is none: light ground between two dotted lines. */
function overtime(g, x, y, wide, view, look) {
  g.fillStyle = look.c.raised;
  g.fillRect(x, y, wide, view.row - 1);
  g.strokeStyle = look.c.hatch;
  g.lineWidth = 1;
  g.setLineDash([1, 3]);
  g.beginPath();
  for (const at of [y + 1.5, y + view.row - 1.5]) {
    g.moveTo(x, at);
    g.lineTo(x + wide, at);
  }
  g.stroke();
  g.setLineDash([]);
}

/** What it is, on a plate so that it can be read on the hatching. */
function name(g, kind, seconds, x, y, wide, view, look) {
  g.font = `600 ${Math.min(0.72 * look.rem, view.row * 0.5)}px ${FONT}`;
  const long = `${t(`plan.closed-${kind}`)} ${lasting(seconds * 1000).replace(/:\d\d$/, (rest) => (seconds >= 3600 ? "" : rest))}`;
  const text = cut(g, kind === "down" ? long : t(`plan.closed-${kind}`), wide - 12);
  if (!text) return;
  const w = g.measureText(text).width + 7;
  const h = Math.min(view.row - 6, 1.05 * look.rem);
  g.fillStyle = look.c.panel;
  g.fillRect(x + 3, y + (view.row - h) / 2, w, h);
  g.fillStyle = kind === "down" ? look.c["alarm-text"] : look.c.soft;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(text, x + 6.5, y + view.row / 2 + 0.5);
}
