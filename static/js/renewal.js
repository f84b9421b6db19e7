// Parts of a page that htmx fetches anew every few seconds, or that the server sends meanwhile. When they no longer come,
// the page says so: what it shows may have changed long ago.

import { age } from "./clock.js";

const RENEWED = "[hx-trigger^='every']";
const LATE_MS = 12_000;
const LATE_PERIODS = 1.2; // of a part that is fetched less often
const STILL_HERE_EVERY_MS = 6 * 3600 * 1000;
const WAKES_MS = 5_000; // a page that nobody looked at was not renewed either, and gets a moment

const begunAt = new WeakMap(); // when each fetch began
let renewedAt = performance.now();
let sentAt = -Infinity;
let visibleAt = performance.now();

const part = document.querySelector(RENEWED);
const every = /^every (\d+)s/.exec(part?.getAttribute("hx-trigger"));
const lateMs = Math.max(LATE_MS, LATE_PERIODS * 1000 * Number(every?.[1] ?? 0));

const banner = document.createElement("p");
banner.className = "said said-error";
banner.innerHTML = '<span role="alert"></span> <span></span>'; // only the first is read out: the age changes each second
banner.hidden = true;

function tick() {
  const now = performance.now();
  const late = now - renewedAt > lateMs && now - visibleAt > WAKES_MS && !document.hidden;
  banner.hidden = !late;
  if (!late) return;
  const [what, old] = banner.children;
  if (!what.textContent) what.textContent = "The server does not answer.";
  old.textContent = `What is shown here is ${age((now - renewedAt) / 1000)} old.`;
}

function renewed() {
  renewedAt = performance.now();
  tick();
}

if (part) {
  part.before(banner);
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => begunAt.set(ctx, performance.now()));
  document.addEventListener("htmx:before:swap", (event) => { // what was sent since a fetch began is newer
    const { ctx } = event.detail;
    if (ctx.target?.matches?.(RENEWED) && begunAt.get(ctx) < sentAt) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target?.matches?.(RENEWED)) renewed();
  });
  document.addEventListener("htmx:after:settle", (event) => { // of a socket, `ctx.target` is the element that connects it
    if (event.detail.task.type !== "partial" || !event.target.matches?.(RENEWED)) return;
    sentAt = performance.now();
    renewed();
  });
  document.addEventListener("renewed", renewed); // by a script of the page
  document.addEventListener("visibilitychange", () => { visibleAt = performance.now(); });
  setInterval(tick, 1000);
  // A session ends when nobody opens a page in a month, and parts don't count: an open page asks for itself.
  setInterval(() => fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => {}), STILL_HERE_EVERY_MS);
}
