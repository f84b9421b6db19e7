// That alerts changed: a number grows, and what this page shows of alerts is fetched anew, at most once a second, and not
// by every page in the same moment.
import { set } from "./clock.js";

const EVERY_MS = 1000;
const SPREAD_MS = 250;

const told = () => document.getElementById("alerts-changed")?.dataset;
let known = { number: undefined, critical: 0 };

/** What the page knows; a dashboard has it from its pulse, which lacks it while its process does not know it yet. */
function read() {
  const pulse = document.getElementById("pulse")?.dataset;
  if (pulse ? pulse.alerts : told()) {
    known = pulse
      ? { number: pulse.alerts, critical: Number(pulse.criticalDown ?? 0) }
      : { number: told().alerts, critical: Number(told().critical ?? 0) };
  }
  return known;
}

/** How many critical alerts fire. */
export const critical = () => read().critical;

let seen = read().number;
let timer = 0;
let fetchedAt = -EVERY_MS;

function changed() {
  const { number } = read();
  if (number === seen) return;
  seen = number;
  count();
  timer ||= setTimeout(follow, Math.max(SPREAD_MS * Math.random(), fetchedAt + EVERY_MS - performance.now()));
}

function follow() {
  timer = 0;
  fetchedAt = performance.now();
  document.dispatchEvent(new Event("alerts"));
}

/** The menu's count; a dashboard has it from its pulse. */
function count() {
  const bad = told()?.bad;
  if (bad === undefined || document.getElementById("pulse")) return;
  for (const badge of document.querySelectorAll("[data-down='alerts']")) {
    if (Number(bad)) set(badge, `${bad} ${badge.dataset.word}`);
    badge.hidden = !Number(bad);
  }
}

new MutationObserver(changed).observe(document.body, { subtree: true, attributeFilter: ["data-alerts"] });
