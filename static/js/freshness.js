// The freshness of every widget, by server time. The thresholds come with each fragment; here they are compared.

import { age, now } from "./clock.js";

function state(widget, time) {
  const { at, lateAt, staleAt } = widget.dataset;
  if (!at) return "nodata";
  if (time >= Number(staleAt)) return "stale";
  return time >= Number(lateAt) ? "late" : "fresh";
}

function words(state, old) {
  switch (state) {
    case "nodata":
      return "no data";
    case "fresh":
      return old < 1 ? "now" : `${age(old)} ago`;
    default:
      return `${state} · ${age(old)}`;
  }
}

function set(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Bring the state and the words of every widget, and of every cell with thresholds of its own, up to now. */
export function tickFreshness() {
  const time = now();
  for (const element of document.querySelectorAll("[data-state]")) {
    const current = state(element, time);
    if (element.dataset.state !== current) element.dataset.state = current;
    set(element.querySelector("[data-freshness]"), words(current, time - Number(element.dataset.at)));
  }
}
