// Lines of a rule on the chart of its rehearsal: dragged, or moved by keys, they are what stands in the form's fields.

const PARTS = 100; // a key moves a line by so many parts of the axis
const DIGITS = 3;

const place = document.getElementById("rehearsal");
let held = ""; // the field whose line has the focus, which it has again on the chart that is drawn anew
let isAsked = false; // the last thing done was to press the button: who types goes on typing

/** The axis of the chart around `handle`: its plot, and the values at its ends. */
function axisOf(handle) {
  const plot = handle.closest(".goal-chart").querySelector("svg.plot");
  return plot && { plot, low: Number(plot.dataset.low), high: Number(plot.dataset.high) };
}

/** Return `value` with as many digits as the axis can tell apart. */
export function rounded(value, low, high) {
  const decimals = Math.min(12, Math.max(0, DIGITS - 1 - Math.floor(Math.log10(high - low || 1))));
  return Number(value.toFixed(decimals));
}

/** Return the value at a height, from 0 at the top of the axis to 1. */
export function valueAt(share, low, high) {
  return rounded(high - Math.min(1, Math.max(0, share)) * (high - low), low, high);
}

/** Return how far from the top a value is, from 0 to 1; at an end where it lies outside. */
export function shareOf(value, low, high) {
  return Math.min(1, Math.max(0, (high - value) / (high - low || 1)));
}

const fieldOf = (handle) => document.querySelector(`#form [name="${CSS.escape(handle.dataset.field)}"]`);

/** Put a handle where its value is. */
function show(handle, value) {
  const { plot, low, high } = axisOf(handle);
  const box = plot.getBoundingClientRect();
  const around = handle.parentElement.getBoundingClientRect();
  handle.style.left = `${box.left - around.left}px`;
  handle.style.width = `${box.width}px`;
  handle.style.top = `${box.top - around.top + shareOf(value, low, high) * box.height}px`;
  handle.setAttribute("aria-valuenow", value);
  handle.setAttribute("aria-valuemin", low);
  handle.setAttribute("aria-valuemax", high);
  handle.querySelector("output").textContent = value;
}

/** Move a line: the form has its value, and once it `ends`, is rehearsed anew. */
function move(handle, value, ends) {
  const field = fieldOf(handle);
  if (!field) return;
  field.value = value;
  show(handle, value);
  if (ends) field.dispatchEvent(new Event("change", { bubbles: true }));
}

function showAll() {
  for (const handle of place.querySelectorAll("[data-field]")) {
    if (!axisOf(handle) || !fieldOf(handle)) continue;
    handle.hidden = false;
    show(handle, Number(fieldOf(handle).value));
    if (handle.dataset.field === held && document.activeElement === document.body) handle.focus({ preventScroll: true });
  }
}

place?.addEventListener("focusin", (event) => { held = event.target.dataset?.field ?? ""; });
document.addEventListener("focusin", (event) => { if (!place?.contains(event.target)) held = ""; });

place?.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-field]");
  if (!handle || event.button) return;
  event.preventDefault();
  handle.focus({ preventScroll: true });
  handle.setPointerCapture(event.pointerId);
  const { plot, low, high } = axisOf(handle);
  let value = null;
  const follow = ({ clientY }) => {
    const box = plot.getBoundingClientRect();
    value = valueAt((clientY - box.top) / box.height, low, high);
    move(handle, value, false);
  };
  const end = () => {
    handle.removeEventListener("pointermove", follow);
    handle.removeEventListener("pointerup", end);
    handle.removeEventListener("pointercancel", end);
    if (value !== null) move(handle, value, true);
  };
  handle.addEventListener("pointermove", follow);
  handle.addEventListener("pointerup", end);
  handle.addEventListener("pointercancel", end);
});

place?.addEventListener("keydown", (event) => {
  const handle = event.target.closest("[data-field]");
  if (!handle) return;
  const { low, high } = axisOf(handle);
  const now = Number(fieldOf(handle)?.value ?? 0);
  const part = (high - low) / PARTS;
  const to = {
    ArrowUp: now + part, ArrowRight: now + part, ArrowDown: now - part, ArrowLeft: now - part,
    PageUp: now + 10 * part, PageDown: now - 10 * part, Home: low, End: high,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  move(handle, rounded(to, low, high), true);
});

if (place) {
  document.addEventListener("click", (event) => { isAsked = event.target.closest("[data-rehearse]") !== null; });
  document.addEventListener("input", () => { isAsked = false; });
  new MutationObserver(() => {
    showAll();
    if (isAsked) place.scrollIntoView();
    isAsked = false;
  }).observe(place, { childList: true });
  new ResizeObserver(showAll).observe(place);
  showAll();
}
