/** The live channel: one WebSocket, a picture of the plant that deltas keep current, and word of it when it stands still. */

import { byId } from "./dom.js";
import { clock, t } from "./words.js";

const SILENT_MS = 3000;
const WAIT_MS = [400, 800, 1500, 3000, 5000];
const FORBIDDEN = 4403;
const CROWDED = 4429;

/** What the plant is like now; rows are explained in web/scene.py and web/sensing.py. */
export const picture = {
  units: [], vehicles: [], commands: new Map(), orders: {}, decisions: {}, counts: {}, links: [], sensed: [], points: new Map(),
  plantMs: 0, wallMs: 0, at: 0, ready: false,
};

const listeners = new Set();
let socket = null;
let number = -1;
let tries = 0;
let topic = "";
let refused = "";

/** Call `listener(frame)` after every frame. */
export const onFrame = (listener) => listeners.add(listener);

/** Plant time now, counted on from the last frame. */
export function plantNow(speed) {
  return picture.plantMs + (performance.now() - picture.at) * speed;
}

/** Wall time now, by the server's clock. */
export const wallNow = () => picture.wallMs + (performance.now() - picture.at);

/** True while frames keep coming. */
export const isLive = () => picture.ready && performance.now() - picture.at < SILENT_MS;

/** Ask for one thing more: "sense", or a unit's points. */
export function watch(name) {
  topic = name;
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ watch: topic }));
}

/** Open the channel, and open it again whenever it breaks. */
export function connect() {
  const address = new URL("/live", location.href);
  address.protocol = "ws:";
  socket = new WebSocket(address);
  socket.onopen = () => topic && watch(topic);
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = (event) => {
    refused = event.code === FORBIDDEN ? t("stale.forbidden") : event.code === CROWDED ? t("stale.crowded") : "";
    // The session may have been another brain's: a page fetched anew gets one of this brain's, once.
    if (event.code === FORBIDDEN && !sessionStorage.getItem("zs-again")) {
      sessionStorage.setItem("zs-again", "1");
      location.reload();
      return;
    }
    setTimeout(connect, WAIT_MS[Math.min(tries++, WAIT_MS.length - 1)]);
  };
}

/** Say so on the page whenever the picture stands still. */
export function watchStale() {
  setInterval(showStale, 500, byId("stale"));
}

function take(frame) {
  if (frame.k === "s") {
    picture.units = Object.values(frame.u);
    picture.vehicles = Object.values(frame.v);
    picture.commands = new Map(frame.c.map((row) => [row.key, row]));
    picture.ready = true;
    tries = 0;
    refused = "";
    sessionStorage.removeItem("zs-again");
  } else if (frame.k === "d") {
    if (!picture.ready) return;
    if (frame.n !== number + 1) {
      socket.send('{"again":1}');
      return;
    }
    for (const [i, row] of Object.entries(frame.u ?? {})) picture.units[i] = row;
    for (const [i, row] of Object.entries(frame.v ?? {})) picture.vehicles[i] = row;
    for (const row of frame.c ?? []) remember(row);
  } else if (frame.k === "n") {
    for (const [i, row] of Object.entries(frame.s)) picture.sensed[i] = row;
  } else if (frame.k === "p") {
    for (const [i, row] of Object.entries(frame.p)) picture.points.set(Number(i), row);
  }
  if (frame.n !== undefined) {
    number = frame.n;
    picture.plantMs = frame.t;
    picture.wallMs = frame.w;
    picture.at = performance.now();
    if (frame.h) picture.counts = frame.h;
    if (frame.l) picture.links = frame.l;
    if (frame.o) picture.orders = frame.o;
    if (frame.d) picture.decisions = frame.d;
  }
  for (const listener of listeners) listener(frame);
}

function remember(row) {
  picture.commands.delete(row.key);
  picture.commands.set(row.key, row);
  while (picture.commands.size > 120) picture.commands.delete(picture.commands.keys().next().value);
}

function showStale(place) {
  const live = isLive();
  document.body.classList.toggle("is-stale", !live);
  place.hidden = live;
  if (live) return;
  const said = picture.ready ? t("stale.stopped", { time: clock(picture.plantMs) }) : t("stale.connecting");
  const text = refused || (picture.ready ? `${said} · ${t("stale.retrying")}` : said);
  if (place.textContent !== text) place.textContent = text;
}
