// The freshness of every widget, by server time. The thresholds come with each fragment; here they are compared.

import { age, now, set } from "./clock.js";

const seen = new WeakMap();

// Of the machines of one system, as in metrics/schedule.py.
const CLOCKS_DIFFER_S = 5;

// How old the newest sample is. The server's clock may be set back; what stays the same grows older all the same, by
// the browser's monotonic clock. The age of one of the future that this page never saw before is unknown, and infinite.
function ageOf(element, time) {
  const { at } = element.dataset;
  const told = time - Number(at);
  let first = seen.get(element);
  if (!first || first.at !== at) {
    const least = told < -CLOCKS_DIFFER_S ? Infinity : Math.max(0, told);
    first = { at, born: performance.now() - 1000 * least };
    seen.set(element, first);
  }
  return Math.max(told, (performance.now() - first.born) / 1000);
}

function state(widget, old) {
  const { at, lateAt, staleAt } = widget.dataset;
  if (!at) return "nodata";
  if (old >= Number(staleAt) - Number(at)) return "stale";
  return old >= Number(lateAt) - Number(at) ? "late" : "fresh";
}

function words(state, old) {
  switch (state) {
    case "nodata":
      return "no data";
    case "fresh":
      return old < 1 ? "now" : `${age(old)} ago`;
    default:
      return old === Infinity ? `${state} · from before the clock was set back` : `${state} · ${age(old)}`;
  }
}

/** Bring the state and the words of every widget, and of every cell with thresholds of its own, up to now. */
export function tickFreshness() {
  const time = now();
  for (const element of document.querySelectorAll('[data-state]:not([data-state="still"])')) {
    const old = ageOf(element, time);
    const current = state(element, old);
    if (element.dataset.state !== current) element.dataset.state = current;
    set(element.querySelector("[data-freshness]"), words(current, old));
  }
}
