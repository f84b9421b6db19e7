// Suggestions of series, or of people and channels, while one types into a field with data-suggest: a listbox below it, by
// keyboard, mouse or touch.
// Forms come and go, so all events are heard on the document. The list comes as HTML from the server.

const WAIT_MS = 120;
const ONE_LINE = ["metric", "label"];
const GAP_PX = 4;
const EDGE_PX = 8;
const WIDTH_REM = 40;
const LEAST_PX = 160; // below that, the list goes above the field

const box = Object.assign(document.createElement("div"), { className: "suggestions", id: "suggestions", hidden: true, tabIndex: -1 });
const spoken = Object.assign(document.createElement("p"), { className: "sr", ariaLive: "polite" });
if ("popover" in box) box.popover = "manual"; // above everything, the drawer's edge included
let field = null;
let active = -1;
let asked = 0;
let timer = 0;
let frame = 0;
let placed = "";

const options = () => [...box.querySelectorAll("[role=option]")];
const isOpen = () => !box.hidden;
const suggests = (element) => (element?.dataset?.suggestFrom ? element : null);
const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

/** The field of the same query that is called `name`. */
function beside(name) {
  return field.form?.elements.namedItem(field.name.replace(/[^-]+$/, name)) ?? null;
}

// --- What is asked ----------------------------------------------------------------------------------------

/** The line of a text area in which the caret is, and where it begins and ends. */
export function lineAt(text, caret) {
  const start = text.lastIndexOf("\n", caret - 1) + 1;
  const found = text.indexOf("\n", caret);
  const end = found < 0 ? text.length : found;
  return { start, end, text: text.slice(start, end) };
}

function address() {
  const url = new URL(field.dataset.suggestFrom, location.href);
  if (field.dataset.suggest === "metric") {
    url.searchParams.set("q", field.value);
    return url;
  }
  if (field.dataset.suggest === "label") {
    if (beside("source")?.value.trim()) return null; // a server is asked for it
    url.searchParams.set("metric", beside("metric")?.value.trim() ?? "");
    url.searchParams.set("names", "");
    url.searchParams.set("q", field.value);
    return url;
  }
  if (field.dataset.suggest === "labels") {
    const metric = beside("metric")?.value.trim();
    if (!metric) return null;
    url.searchParams.set("metric", metric);
  }
  url.searchParams.set("q", lineAt(field.value, field.selectionStart).text);
  return url;
}

async function ask() {
  const turn = (asked += 1);
  const url = field && address();
  if (!url) return close();
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true" } }); // nobody opens a page by it
    const text = await answer.text();
    if (turn === asked && field && answer.ok && !answer.redirected) show(text);
  } catch {
    if (turn === asked) close(); // without the server nothing is suggested
  }
}

function askSoon() {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT_MS);
}

// --- The list ---------------------------------------------------------------------------------------------

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  box.replaceChildren(...page.body.childNodes);
  const count = options().length;
  if (!count && field.dataset.suggest !== "metric") return close();
  active = -1;
  field.removeAttribute("aria-activedescendant");
  const list = box.querySelector("[role=listbox]");
  list.id = "suggestions-list";
  field.setAttribute("aria-expanded", "true");
  (field.closest("dialog") ?? document.body).append(box, spoken); // what is beside an open dialog is inert
  box.hidden = false;
  if (box.popover && !box.matches(":popover-open")) box.showPopover();
  placed = "";
  follow();
  box.scrollTop = 0;
  spoken.textContent = count ? `${count} suggestion${count === 1 ? "" : "s"}.` : box.textContent.trim();
}

/** Put the list below the field, or above it where there is more room; it never leaves the screen. */
function place() {
  const at = field.getBoundingClientRect();
  const screen = document.documentElement;
  const rem = parseFloat(getComputedStyle(screen).fontSize);
  const width = Math.min(Math.max(at.width, WIDTH_REM * rem), screen.clientWidth - 2 * EDGE_PX);
  const left = Math.max(EDGE_PX, Math.min(at.left, screen.clientWidth - EDGE_PX - width));
  const below = innerHeight - at.bottom - GAP_PX - EDGE_PX;
  const above = at.top - GAP_PX - EDGE_PX;
  const isBelow = below >= Math.min(LEAST_PX, above) || below >= box.scrollHeight;
  Object.assign(box.style, {
    left: `${left}px`,
    width: `${width}px`,
    maxHeight: `${Math.max(0, isBelow ? below : above)}px`,
    top: isBelow ? `${at.bottom + GAP_PX}px` : "auto",
    bottom: isBelow ? "auto" : `${innerHeight - at.top + GAP_PX}px`,
  });
}

/** Keep the list at its field, which moves as things scroll, or come in above it. */
function follow() {
  if (!isOpen() || !field) return;
  const { left, top, bottom, width } = field.getBoundingClientRect();
  const now = [left, top, bottom, width, innerWidth, innerHeight, box.childElementCount].join();
  if (now !== placed) place();
  placed = now;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(follow);
}

function close() {
  clearTimeout(timer);
  asked += 1;
  active = -1;
  if (isOpen()) {
    if (box.popover && box.matches(":popover-open")) box.hidePopover();
    box.hidden = true;
    box.replaceChildren();
  }
  field?.removeAttribute("aria-activedescendant");
  field?.setAttribute("aria-expanded", "false");
}

function choose(index) {
  const all = options();
  if (!all.length) return;
  active = (index + all.length) % all.length;
  all.forEach((one, place) => one.setAttribute("aria-selected", String(place === active)));
  field.setAttribute("aria-activedescendant", all[active].id);
  all[active].scrollIntoView({ block: "nearest" });
}

function accept(option) {
  const { metric, labels, title, line } = option.dataset;
  const filled = [field];
  if (line === undefined) {
    field.value = metric;
    const labelled = beside("labels");
    if (labels && labelled) {
      labelled.value = labels;
      filled.push(labelled);
    }
    const titled = field.form?.querySelector("[data-suggest=title]");
    if (titled && !titled.value.trim()) {
      titled.value = title;
      filled.push(titled);
    }
  } else {
    const { start, end } = lineAt(field.value, field.selectionStart);
    field.setRangeText(line, start, end, "end");
  }
  close();
  const chosen = field;
  field = null; // what is filled in was not typed
  filled.forEach(changed);
  take(chosen);
  if (line?.endsWith(": ")) ask();
}

function take(element) {
  field = element;
  const about = { role: "combobox", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": "suggestions-list" };
  for (const [name, value] of Object.entries(about)) field.setAttribute(name, value);
}

// --- Events -----------------------------------------------------------------------------------------------

document.addEventListener("focusin", (event) => {
  if (suggests(event.target) && event.target !== field) take(event.target);
});

document.addEventListener("focusout", (event) => {
  if (event.target !== field) return;
  close();
  field = null;
});

document.addEventListener("input", (event) => {
  if (field && event.target === field) askSoon();
});

document.addEventListener("click", (event) => {
  const option = event.target.closest?.(".suggestions [role=option]");
  if (option && field) accept(option);
  else if (field && event.target === field && !isOpen() && !field.value.trim()) ask();
});

// The field keeps the focus, whatever is pressed in the list; a finger may scroll it.
box.addEventListener("mousedown", (event) => event.preventDefault());

/** What keys do while the list is open, by name; false leaves the key to the browser. */
const KEYS = {
  ArrowDown: () => choose(active + 1),
  ArrowUp: () => choose(active < 0 ? -1 : active - 1),
  Home: () => active >= 0 && choose(0),
  End: () => active >= 0 && choose(-1),
  Enter: () => active >= 0 && accept(options()[active]),
  Escape: () => close(),
};

document.addEventListener("keydown", (event) => {
  if (!field || event.target !== field || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!isOpen()) {
    if (event.key !== "ArrowDown" || !ONE_LINE.includes(field.dataset.suggest)) return;
    event.preventDefault();
    ask();
  } else if (KEYS[event.key] && KEYS[event.key]() !== false) {
    event.preventDefault();
    event.stopPropagation();
  }
}, { capture: true });
