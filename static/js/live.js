// A live page: keeps the socket's state visible, acknowledges what it shows, and never looks alive when it is not.

import { age, now, set, setServerTime, tickClocks, timeOfDay, zone } from "./clock.js";
import { tickFreshness } from "./freshness.js";
import { follow } from "./revision.js";
import { wallName } from "./wall-name.js";

const LOST_AFTER_S = 12; // two pulses missed
const ACK_BYTES = 64 * 1024; // a quarter of what the server lets a page owe
const ACK_EVERY_MS = 2000;
const PROBE_EVERY_S = 20;
const FOLLOW_AFTER_MS = 2000; // spread, since every page notices at once
const STILL_HERE_EVERY_S = 6 * 3600;
const SIGN_IN = 4401; // whoever changed the password in this browser has another session by now
const MOVED_OR_GONE = 4404; // a dashboard with a new slug: its old address leads there
const REFUSED = {
  [SIGN_IN]: "You are signed out. Sign in again to see live values.",
  4403: "This page may not connect to the server that it asks.",
  4410: "This link or screen was revoked, or has expired.",
  4404: "This dashboard is gone, or is not for you any more.",
  4429: "Too many different choices are watched just now. Close some pages, or choose what others watch. Trying again.",
  1013: "The server has no room for this page, or the page could not keep up. Trying again.",
};
const STATES = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  lost: "Connection lost",
  denied: "Not connected",
};

const body = document.body;
let heardAt = performance.now();
let socket = null;
let refusal = "";
let ackTimer = 0;
let owed = 0;
let acked = "";
let probeAt = performance.now() + PROBE_EVERY_S * 1000;
let wallClock = Date.now();
let wasHidden = document.hidden;

const pulse = () => document.getElementById("pulse").dataset;

function show(state) {
  if (body.dataset.live !== state) body.dataset.live = state;
  const chip = document.getElementById("connection");
  if (chip && chip.textContent !== STATES[state]) chip.textContent = STATES[state];
  const banner = document.getElementById("lost");
  const behind = document.getElementById("behind");
  const late = state === "live" && pulse().behind;
  set(behind, late ? `${age(late)} behind` : "");
  if (behind.hidden === Boolean(late)) behind.hidden = !late;
  for (const count of document.querySelectorAll("[data-down]")) {
    const down = pulse()[`${count.dataset.down}Down`];
    if (down) set(count, `${down} ${count.dataset.word || "down"}`);
    if (count.hidden === Boolean(down)) count.hidden = !down;
  }
  const bad = state === "lost" || state === "denied";
  if (banner.hidden === bad) banner.hidden = !bad;
  if (bad) {
    const shown = Number(pulse().time);
    const old = `These values are from ${timeOfDay(shown)} (${zone}), ${age(now() - shown)} ago.`;
    // Only the reason is read out: the age changes each second.
    for (const [part, text] of [["why", refusal || pulse().lost || "Connection lost."], ["age", old]]) {
      const target = banner.querySelector(`[data-lost-${part}]`);
      if (target.textContent !== text) target.textContent = text;
    }
  }
}

// --- The socket -----------------------------------------------------------------------------------------

// There may be a room beside the dashboard, which has a socket of its own.
const isOurs = (event) => /\/ws\/(dashboards|screen)\//.test(event.detail.connection.url);

document.addEventListener("htmx:ws:before:connection", (event) => {
  if (!isOurs(event)) return;
  const { connection } = event.detail;
  const url = new URL(connection.url);
  url.searchParams.set("epoch", pulse().epoch);
  url.searchParams.set("version", pulse().version);
  if (body.classList.contains("wall")) url.searchParams.set("viewer", wallName());
  connection.url = url.href;
});

document.addEventListener("htmx:ws:after:connection", (event) => {
  if (isOurs(event)) socket = event.detail.connection.socket;
});

document.addEventListener("htmx:ws:close", (event) => {
  if (!isOurs(event)) return;
  socket = null;
  acked = "";
  if (event.detail.reason === "closed") refusal = REFUSED[event.detail.code] ?? refusal;
  if ([SIGN_IN, MOVED_OR_GONE].includes(event.detail.code)) {
    probeAt = Math.min(probeAt, performance.now() + 1000 + 4000 * Math.random());
  }
  if (refusal) show("denied");
  else if (body.dataset.live === "live") show("reconnecting");
});

document.addEventListener("htmx:ws:after:message:incoming", (event) => {
  if (!isOurs(event)) return;
  refusal = "";
  if (pulse().lost) return show("lost"); // connected, but to a server that has nothing new to tell
  heardAt = performance.now();
  setServerTime(Number(pulse().time));
  tickFreshness();
  tickClocks();
  show("live");
  if (outdated()) catchUp();
  owed += event.detail.message.data.length;
  if (owed >= ACK_BYTES) acknowledge();
  else ackTimer ||= setTimeout(acknowledge, ACK_EVERY_MS);
});

function acknowledge() {
  clearTimeout(ackTimer);
  ackTimer = owed = 0;
  const { epoch, version } = pulse();
  if (acked === epoch + version || socket?.readyState !== WebSocket.OPEN) return;
  acked = epoch + version;
  socket.send(JSON.stringify({ ack: Number(version) }));
}

// --- Upgrades and edits ----------------------------------------------------------------------------------

let loaded = { ...pulse() };
let reloading = false;
let following = false;

function outdated() {
  const { build, revision, layout, epoch, version } = pulse();
  const isNewer = epoch !== loaded.epoch || Number(version) > Number(loaded.version);
  // A snapshot from before the page was loaded may lack the copies of a widget that came since.
  return build !== loaded.build || Number(revision) > Number(loaded.revision) || (isNewer && layout !== loaded.layout);
}

// A new revision, or another copy of a widget, comes into the page as it is; a new release, or what can't be followed, loads the page anew.
function catchUp() {
  if (pulse().build !== loaded.build) reloadSoon();
  else followSoon();
}

function followSoon() {
  if (following || reloading) return;
  following = true;
  setTimeout(async () => {
    const followed = await follow(pulse).catch(() => null);
    following = false;
    if (!followed) return reloadSoon();
    loaded = followed;
    if (outdated()) catchUp(); // another one meanwhile
  }, FOLLOW_AFTER_MS * Math.random());
}

// Spread over some seconds, since every screen notices at once; and at most once a minute, because during a
// rolling upgrade the next page may come from a process that is not upgraded yet.
function reloadSoon() {
  if (reloading) return;
  reloading = true;
  const sinceLast = Date.now() - Number(sessionStorage.getItem("reloadedAt") ?? 0);
  const pause = sinceLast >= 0 && sinceLast < 60_000 ? 60_000 - sinceLast : 0;
  setTimeout(reloadWhenAnswered, pause + 500 + Math.random() * 5000);
}

export async function reloadWhenAnswered() {
  if (await answers()) {
    sessionStorage.setItem("reloadedAt", String(Date.now()));
    location.reload();
  } else {
    setTimeout(reloadWhenAnswered, 5000 + Math.random() * 5000);
  }
}

/** Whether the server would give this page now, perhaps at a new address, and not an error or a sign-in form. */
async function answers() {
  try {
    const response = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    const kind = `/${location.pathname.split("/")[1]}/`;
    return response.ok && new URL(response.url).pathname.startsWith(kind);
  } catch {
    return false;
  }
}

// --- Every second ---------------------------------------------------------------------------------------

function tick() {
  const silent = (performance.now() - heardAt) / 1000;
  // A machine that slept: its monotonic clock may have stood still, so nothing shown is known to be current.
  // Of a hidden tab, the browser lets the timers sleep.
  const slept = !document.hidden && !wasHidden && Date.now() - wallClock > 10_000;
  wasHidden = document.hidden;
  wallClock = Date.now();
  if (refusal) show("denied");
  else if (pulse().lost || silent > LOST_AFTER_S || slept) show("lost");
  tickFreshness();
  tickClocks();
  if ((silent > LOST_AFTER_S || refusal) && ![REFUSED[1013], REFUSED[4429]].includes(refusal)) probe();
}

// The socket reconnects by itself. Should it have given up, the page loads anew, but only once the server
// answers with this very page: numbers from before are better than an error page or a sign-in form.
async function probe() {
  if (performance.now() < probeAt) return;
  probeAt = performance.now() + PROBE_EVERY_S * 1000 * (1 + Math.random());
  if ((await answers()) && body.dataset.live !== "live") location.reload();
}

// A page from the back/forward cache has a closed socket that nothing reopens.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A session ends when nobody asks for anything in a month; an open page asks for itself.
setInterval(answers, STILL_HERE_EVERY_S * 1000);

setServerTime(Number(pulse().time));
for (const element of document.querySelectorAll("[data-zone]")) element.textContent = zone;
tick();
setInterval(tick, 1000);
