// The draft of a dashboard: forms are sent without leaving the page, and what comes back takes the place of what was there.
// Without this script the same links and forms lead through whole pages.

import { column } from "./column.js";
import { arrange } from "./grid.js";

const REFRESH_MS = 10_000;
const PREVIEW_AFTER_MS = 400;
const NO_ANSWER = "The server does not answer. This may not be saved; try again.";

const editor = document.getElementById("editor");
const drawer = document.getElementById("drawer");
const body = document.getElementById("drawer-body");
const NARROW = matchMedia("(max-width: 700px)");
let view = new URLSearchParams(location.search).get("view") ?? "";
const going = new WeakSet(); // forms that are sent and not answered
let grid = null;
let sending = Promise.resolve();
let waiting = 0;
let previewTimer = 0;
let previews = 0;
let pressedOn = null;

const speak = (text) => { document.getElementById("spoken").textContent = text; };
const tile = (key) => document.getElementById(`tile-${key}`);
const seen = () => document.querySelector("#do [name=seen]").value;
const parse = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

/** Say that something went wrong, where it is seen: the drawer covers the page. */
function say(text) {
  const said = Object.assign(document.createElement("p"), { className: "said said-error", role: "alert", textContent: text });
  if (!drawer.open) return document.getElementById("editor-said").replaceChildren(said);
  body.querySelector(":scope > .said-error")?.remove();
  body.prepend(said);
  said.scrollIntoView({ block: "nearest" });
}

// --- What comes back --------------------------------------------------------------------------------------

/** A selector for the control that has the focus, which is another element once the page was drawn anew. */
function focused() {
  const element = document.activeElement;
  if (!editor.contains(element)) return "";
  if (element.id) return `#${CSS.escape(element.id)}`;
  for (const name of ["formaction", "href"]) {
    const value = element.getAttribute(name);
    if (value) return `[${name}="${CSS.escape(value)}"]${element.value ? `[value="${CSS.escape(element.value)}"]` : ""}`;
  }
  return element.closest(".tile") ? `#${CSS.escape(element.closest(".tile").id)}` : element.matches("[data-publish]") ? "[data-publish]" : "";
}

/** Show the draft as it is on `page`: all of it, or only the bar where the tiles are as they should be already. */
function show(page, { onlyBar = false } = {}) {
  const fresh = page.getElementById("editor");
  const focus = focused();
  if (onlyBar && !fresh.querySelector(".said-error")) {
    document.getElementById("bar").replaceWith(fresh.querySelector("#bar"));
    document.querySelector(".numbers tbody")?.replaceWith(fresh.querySelector(".numbers tbody"));
    for (const field of editor.querySelectorAll("[name=seen]")) field.value = seen();
    if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
    return;
  }
  const before = new Set([...editor.querySelectorAll(".tile")].map((one) => one.dataset.key));
  const numbers = editor.querySelector(".numbers")?.open;
  grid?.end();
  editor.replaceChildren(...fresh.childNodes);
  document.title = (/^\(\d+\) /.exec(document.title)?.[0] ?? "") + page.title;
  if (numbers && editor.querySelector(".numbers")) editor.querySelector(".numbers").open = true;
  grid = arranged();
  const added = [...editor.querySelectorAll(".tile")].find((one) => !before.has(one.dataset.key));
  (added ?? (focus && document.querySelector(focus)))?.focus?.({ preventScroll: !added });
  added?.scrollIntoView({ block: "nearest" });
}

function arranged() {
  const canvas = document.getElementById("canvas");
  return canvas.matches(".phone") ? column(canvas, saveColumn, speak) : arrange(canvas, save, speak);
}

/** Send one thing after the other: each says which state of the draft it has seen, as it is when its turn comes. */
function send(make, { form, failed, ...options } = {}) {
  waiting += 1;
  if (form) going.add(form);
  sending = sending.then(async () => {
    try {
      const { url, data } = make();
      const answer = await fetch(url, { method: "POST", body: data, headers: { Accept: "text/html" } });
      took(answer, await parse(answer), options);
    } catch (error) {
      console.error(error);
      say(NO_ANSWER);
      failed?.();
    } finally {
      waiting -= 1;
      if (form) going.delete(form);
    }
  });
}

function took(answer, page, { inDrawer = false, ...options }) {
  if (page.getElementById("editor")) {
    if (inDrawer && drawer.open) drawer.close(); // first, since it gives the focus back
    const { pathname } = new URL(answer.url);
    if (pathname !== location.pathname) history.replaceState(null, "", pathname + location.search); // a dashboard with a new slug
    show(page, options);
  } else if (page.getElementById("part") && inDrawer && drawer.open) {
    fill(page);
  } else if (answer.ok || answer.redirected) {
    location.assign(answer.url); // another page: the merge, or the sign-in
  } else {
    say(page.querySelector("h1")?.textContent ?? `The server refused it (${answer.status}).`);
  }
}

function save(places, failed) {
  send(() => {
    const form = document.getElementById("do");
    const data = new FormData(form);
    for (const { key, ...place } of places) {
      data.append("key", key);
      for (const [name, value] of Object.entries(place)) data.append(`${name}-${key}`, value);
    }
    return { url: form.dataset.places, data };
  }, { onlyBar: true, failed });
}

function saveColumn(failed) {
  send(() => {
    const form = document.getElementById("phone");
    return { url: form.action, data: new FormData(form) };
  }, { onlyBar: true, failed });
}

/** Send the column as it is once all before this was answered, but for `field`, which was pressed or changed now. */
function changeColumn({ name, value, type, checked }) {
  send(() => {
    const form = document.getElementById("phone");
    const data = new FormData(form);
    if (type === "checkbox" && !checked) data.delete(name);
    else data.set(name, value);
    return { url: form.action, data };
  });
}

// --- The drawer -------------------------------------------------------------------------------------------

async function open(url) {
  await sending; // what is shown there has to know of it
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = await parse(answer);
    if (!page.getElementById("part")) return location.assign(url);
    if (!drawer.open) drawer.showModal();
    fill(page);
  } catch {
    say(NO_ANSWER);
  }
}

function fill(page) {
  body.replaceChildren(...page.getElementById("part").childNodes);
  body.querySelector("#preview")?.removeAttribute("aria-live"); // it is drawn at each pause of typing
  htmx.process(body);
  body.scrollTop = 0;
  const first = ["[autofocus]", "[aria-invalid=true]", "form input:not([type=hidden])", ".card a", "a, button"];
  first.map((one) => body.querySelector(one)).find(Boolean)?.focus();
  preview();
}

function preview() {
  const button = body.querySelector("[data-preview]");
  if (!button) return;
  clearTimeout(previewTimer);
  previewTimer = setTimeout(draw, PREVIEW_AFTER_MS, button);
}

/** Draw the widget of the form as it would be; what is still missing is said quietly, since somebody is typing. */
async function draw(button) {
  if (!button.isConnected) return;
  const turn = ++previews;
  const options = { method: "POST", body: new FormData(button.form), headers: { "HX-Request": "true" } };
  const answer = await fetch(button.getAttribute("hx-post"), options).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = await parse(answer);
  const place = body.querySelector("#preview");
  if (turn !== previews || !place || !button.isConnected) return;
  for (const one of page.querySelectorAll("[autofocus]")) one.removeAttribute("autofocus");
  for (const one of page.querySelectorAll("[role=alert]")) { one.removeAttribute("role"); one.className = "said"; }
  for (const one of page.querySelectorAll(".widget[id]")) one.removeAttribute("id"); // its tile has that
  place.replaceChildren(...page.body.childNodes);
}

body.addEventListener("input", preview);
body.addEventListener("htmx:after:swap", preview);
drawer.addEventListener("close", () => body.replaceChildren());
drawer.addEventListener("pointerdown", (event) => { pressedOn = event.target; });
drawer.addEventListener("click", (event) => {
  if (event.target === drawer && pressedOn === drawer) drawer.close(); // beside it
});

// --- Links, forms, keys -----------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-close-drawer]");
  if (close && drawer.open) {
    event.preventDefault();
    drawer.close();
  }
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link.href);
});

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.closest("#editor, #drawer") || event.defaultPrevented || submitter?.hasAttribute("hx-post")) return;
  event.preventDefault();
  const inDrawer = Boolean(form.closest("#drawer"));
  if (inDrawer && going.has(form)) return; // pressed twice
  if (submitter?.dataset.confirm && !confirm(submitter.dataset.confirm)) return;
  if (form.id === "phone") return changeColumn(submitter);
  const url = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  const data = new FormData(form, submitter);
  const isDone = form.id === "do"; // nothing is typed there: it holds for what was sent before, too
  send(() => {
    data.set("view", view);
    if (isDone) data.set("seen", seen());
    return { url, data };
  }, { form, inDrawer });
});

editor.addEventListener("change", (event) => {
  if (event.target.form?.id === "phone") changeColumn(event.target);
});

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || drawer.open) return;
  if (event.target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  const redo = key === "y" || (key === "z" && event.shiftKey);
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  document.querySelector(redo ? "[data-redo]" : "[data-undo]")?.click();
});

addEventListener("beforeunload", (event) => {
  if (waiting) event.preventDefault();
});

/** Draw the tiles with newer values, and say who else edits. */
async function refresh() {
  const isBusy = () => document.hidden || drawer.open || waiting || grid?.isBusy();
  if (isBusy()) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const page = await parse(answer);
  if (!page.getElementById("editor") || isBusy()) return;
  if (page.querySelector("#do [name=seen]").value !== seen()) return show(page); // changed in another tab, or by others
  for (const fresh of page.querySelectorAll(".tile-view")) {
    const place = tile(fresh.closest(".tile").dataset.key)?.querySelector(".tile-view");
    if (place && place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
  }
  const [shown, said] = [document, page].map((one) => one.getElementById("editor-said"));
  const isNews = shown.querySelector(".said-error, .said-success") === null && shown.innerHTML !== said.innerHTML;
  if (isNews) shown.replaceWith(said);
}

/** Show what somebody on a phone sees, and can drag. The text that came with this page stands there still. */
async function toPhone() {
  const answer = await fetch("?view=phone").catch(() => null);
  const page = answer?.ok && (await parse(answer));
  if (!page || !page.getElementById("editor")) return; // the grid stays
  const said = document.getElementById("editor-said");
  view = "phone";
  history.replaceState(null, "", "?view=phone");
  show(page);
  document.getElementById("editor-said").replaceWith(said);
}

grid = arranged();
if (NARROW.matches && !view) sending = toPhone().catch(console.error);
setInterval(refresh, REFRESH_MS);
