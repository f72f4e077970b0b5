/** The time axis: whole hours and minutes in the plant's zone, the now-plate, the frozen zone's name, the day and shift. */

import { plant } from "../plant.js";
import { clock, day, label, t } from "../words.js";
import { FONT, cut } from "./paint.js";

const STEPS_S = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const ROOM_REM = 4.6;
const NS_DAY_S = 86400;
const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Seconds that the plant's zone is ahead of UTC at a moment. */
export function zoneAhead(ms) {
  const [hours, minutes, seconds] = clock(ms).split(":").map(Number);
  const local = hours * 3600 + minutes * 60 + seconds;
  const utc = Math.floor(ms / 1000) % NS_DAY_S;
  return ((((local - utc + NS_DAY_S / 2) % NS_DAY_S) + NS_DAY_S) % NS_DAY_S) - NS_DAY_S / 2;
}

/** Every line of the axis in sight: [seconds after the origin, ms]. */
function ticks(view, look) {
  const step = STEPS_S.find((s) => (s / view.span) * view.plot >= ROOM_REM * look.rem) ?? NS_DAY_S;
  const shift = look.originMs / 1000 + look.ahead; // plan seconds → local seconds
  const found = [];
  for (let local = Math.ceil((view.t0 + shift) / step) * step; local - shift < view.end; local += step) {
    found.push([local - shift, (local - look.ahead) * 1000, local % NS_DAY_S === 0]);
  }
  return found;
}

export function drawGrid(g, view, look) {
  for (const [s, , midnight] of ticks(view, look)) {
    g.fillStyle = midnight ? look.c["plan-edge"] : look.c.line;
    g.fillRect(Math.round(view.x(s)), view.axis, 1, view.height);
  }
}

export function drawAxis(g, plan, view, look) {
  const c = look.c;
  const rem = look.rem;
  g.fillStyle = c.panel;
  g.fillRect(0, 0, view.width, view.axis);
  g.fillStyle = c.line;
  g.fillRect(0, view.axis - 1, view.width, 1);
  g.textBaseline = "middle";
  g.textAlign = "left";
  g.font = `${0.78 * rem}px ${FONT}`;
  const now = view.x(look.now);
  const y = view.axis / 2;
  g.save();
  g.beginPath();
  g.rect(view.gutter, 0, view.plot, view.axis);
  g.clip();
  const taken = frozenName(g, plan, view, look, now);
  for (const [s, ms, midnight] of ticks(view, look)) {
    const x = view.x(s);
    if (Math.abs(x + 1.2 * rem - now) < 3.1 * rem || (x > now && x < taken)) continue; // now and frozen stand there
    g.fillStyle = midnight ? c.ink : c.soft;
    g.fillText(midnight ? day(ms) : clock(ms).slice(0, 5), x + 4, y);
  }
  nowPlate(g, view, look, now);
  g.restore();
  g.fillStyle = c.panel;
  g.fillRect(0, 0, view.gutter, view.axis - 1);
  g.fillStyle = c.soft;
  g.font = `${0.72 * rem}px ${FONT}`;
  g.fillText(cut(g, dayAndShift(look.originMs + (view.t0 + view.span * 0.04) * 1000, look.ahead), view.gutter - 0.9 * rem), 0.75 * rem, y);
}

/** The frozen zone's name beside the now-plate; returns where it ends. */
function frozenName(g, plan, view, look, now) {
  const [from, to] = [now + 1.9 * look.rem, view.x(plan.frozenUntil)];
  if (to - from < 2 * look.rem || plan.frozenUntil < look.now) return now;
  g.fillStyle = look.c.shade;
  g.fillRect(now, 0, to - now, view.axis - 1);
  g.fillStyle = look.c.soft;
  const before = g.font;
  g.font = `${0.7 * look.rem}px ${FONT}`;
  const text = cut(g, t("plan.frozen"), to - from);
  g.fillText(text, from, view.axis / 2);
  const end = from + g.measureText(text).width + 0.5 * look.rem;
  g.font = before;
  return end;
}

function nowPlate(g, view, look, x) {
  if (x < view.gutter - 30 || x > view.width + 30) return;
  const [w, h] = [3.1 * look.rem, 1.25 * look.rem];
  g.fillStyle = look.c.now;
  g.beginPath();
  g.roundRect(x - w / 2, (view.axis - h) / 2, w, h, 2);
  g.fill();
  g.fillRect(x - 1, view.axis / 2, 2, view.axis / 2);
  g.fillStyle = look.c["on-now"];
  g.font = `600 ${0.8 * look.rem}px ${FONT}`;
  g.textAlign = "center";
  g.fillText(clock(look.originMs + look.now * 1000).slice(0, 5), x, view.axis / 2 + 0.5);
  g.textAlign = "left";
}

/** “11-23 周一 · 白班” for a moment. */
export function dayAndShift(ms, ahead) {
  const local = ms / 1000 + ahead;
  const weekday = (Math.floor(local / NS_DAY_S) + 3) % 7; // 1970 began on a Thursday
  const minute = (local % NS_DAY_S) / 60;
  const on = (plant.shifts ?? []).find((s) => [0, 1440].some((late) => s.days.includes((weekday - late / 1440 + 7) % 7) && minute + late >= s.start_min && minute + late < s.end_min));
  return [`${day(ms)} ${t(`plan.${WEEKDAYS[weekday]}`)}`, on ? label(on.name) : ""].filter(Boolean).join(" · ");
}
