// Parts of a page that htmx fetches anew every few seconds, or that the server sends meanwhile. When they no longer come,
// the page says so: what it shows may have changed long ago.

import { age } from "./clock.js";

const RENEWED = "[hx-trigger^='every']";
const LATE_MS = 12_000;
const LATE_PERIODS = 1.2; // of a part that is fetched less often
const STILL_HERE_EVERY_MS = 6 * 3600 * 1000;
const WAKES_MS = 5_000; // a page that nobody looked at was not renewed either, and gets a moment

let renewedAt = performance.now();
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

if (part) {
  part.before(banner);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target?.matches?.(RENEWED)) renewedAt = performance.now();
    tick();
  });
  document.addEventListener("renewed", () => { // by a script of the page
    renewedAt = performance.now();
    tick();
  });
  document.addEventListener("visibilitychange", () => { visibleAt = performance.now(); });
  setInterval(tick, 1000);
  // A session ends when nobody opens a page in a month, and parts don't count: an open page asks for itself.
  setInterval(() => fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => {}), STILL_HERE_EVERY_MS);
}
