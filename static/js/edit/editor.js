// The draft of a dashboard: forms are sent without leaving the page, and what comes back takes the place of what was there.
// Without this script the same links and forms lead through whole pages.

import { arrange } from "./grid.js";

const REFRESH_MS = 10_000;
const PREVIEW_AFTER_MS = 400;

const editor = document.getElementById("editor");
const drawer = document.getElementById("drawer");
const body = document.getElementById("drawer-body");
let grid = null;
let sending = Promise.resolve();
let waiting = 0;
let previewTimer = 0;

const speak = (text) => { document.getElementById("spoken").textContent = text; };
const seen = () => document.querySelector("#do [name=seen]").value;
const tile = (key) => document.getElementById(`tile-${key}`);
const isOver = (answer) => new URL(answer.url).pathname === location.pathname;

/** Fetch a page; null if there was no answer, which the page then says. */
async function fetched(url, options) {
  try {
    const answer = await fetch(url, { ...options, headers: { Accept: "text/html" } });
    return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
  } catch {
    say("The server does not answer. Nothing was changed; try again.");
    return null;
  }
}

function say(text) {
  const said = Object.assign(document.createElement("p"), { className: "said said-error", role: "alert", textContent: text });
  document.getElementById("editor-said").replaceChildren(said);
}

// --- What comes back --------------------------------------------------------------------------------------

/** Show the draft as it is on `page`: all of it, or only the bar where the tiles are as they should be already. */
function show(page, { onlyBar = false } = {}) {
  const fresh = page.getElementById("editor");
  if (onlyBar && !fresh.querySelector(".said-error")) {
    document.getElementById("bar").replaceWith(fresh.querySelector("#bar"));
    for (const field of editor.querySelectorAll("[name=seen]")) field.value = seen();
    return;
  }
  const before = new Set([...editor.querySelectorAll(".tile")].map((one) => one.dataset.key));
  const focused = document.activeElement?.closest?.(".tile")?.dataset.key;
  grid?.end();
  editor.replaceChildren(...fresh.childNodes);
  document.title = page.title;
  grid = arrange(document.getElementById("canvas"), save, speak);
  const added = [...editor.querySelectorAll(".tile")].find((one) => !before.has(one.dataset.key));
  (added ?? (focused && tile(focused)))?.focus({ preventScroll: !added });
  added?.scrollIntoView({ block: "nearest" });
}

/** Send forms one after the other: each says which state of the draft it has seen, as it is when its turn comes. */
function send(make, options) {
  waiting += 1;
  sending = sending.then(async () => {
    const { url, data } = make();
    const got = await fetched(url, { method: "POST", body: data });
    waiting -= 1;
    if (got) took(got, options);
  });
}

function took({ answer, page }, options) {
  if (isOver(answer) && page.getElementById("editor")) {
    if (drawer.open) drawer.close(); // first, since it gives the focus back
    show(page, options);
  } else if (page.getElementById("part") && drawer.open) {
    fill(page);
  } else {
    location.assign(answer.url); // another page: the merge, the sign-in, or a dashboard with a new slug
  }
}

function save(places) {
  send(() => {
    const form = document.getElementById("do");
    const data = new FormData(form);
    for (const { key, ...place } of places) {
      data.append("key", key);
      for (const [name, value] of Object.entries(place)) data.append(`${name}-${key}`, value);
    }
    return { url: form.dataset.places, data };
  }, { onlyBar: true });
}

// --- The drawer -------------------------------------------------------------------------------------------

async function open(url) {
  const got = await fetched(url);
  if (!got) return;
  if (!got.page.getElementById("part")) return location.assign(url);
  if (!drawer.open) drawer.showModal();
  fill(got.page);
}

function fill(page) {
  body.replaceChildren(...page.getElementById("part").childNodes);
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
  previewTimer = setTimeout(() => draw(button), PREVIEW_AFTER_MS);
}

/** Draw the widget of the form as it would be; what is still missing is said quietly, since somebody is typing. */
async function draw(button) {
  if (!button.isConnected) return;
  const url = button.getAttribute("hx-post");
  const options = { method: "POST", body: new FormData(button.form), headers: { "HX-Request": "true" } };
  const answer = await fetch(url, options).catch(() => null);
  const place = body.querySelector("#preview");
  if (!answer || !place || !button.isConnected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const one of page.querySelectorAll("[autofocus]")) one.removeAttribute("autofocus");
  for (const one of page.querySelectorAll("[role=alert]")) { one.removeAttribute("role"); one.className = "said"; }
  place.replaceChildren(...page.body.childNodes);
}

body.addEventListener("input", preview);
drawer.addEventListener("close", () => body.replaceChildren());
drawer.addEventListener("click", (event) => {
  if (event.target === drawer) drawer.close(); // beside it
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
  if (submitter?.dataset.confirm && !confirm(submitter.dataset.confirm)) return;
  const url = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  const data = new FormData(form, submitter?.name ? submitter : undefined);
  const isOfDraft = Boolean(form.closest("#editor"));
  send(() => {
    if (isOfDraft) data.set("seen", seen()); // what was sent before this may have changed it
    return { url, data };
  });
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

/** Draw the tiles with newer values, and say who else edits. */
async function refresh() {
  if (document.hidden || drawer.open || waiting || grid?.isBusy()) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || drawer.open || waiting || grid?.isBusy()) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.querySelector("#do [name=seen]")?.value !== seen()) return;
  for (const fresh of page.querySelectorAll(".tile-view")) {
    const place = tile(fresh.closest(".tile").dataset.key)?.querySelector(".tile-view");
    if (place && place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
  }
  const others = page.getElementById("editor-said");
  if (others && !document.querySelector("#editor-said .said-error, #editor-said .said-success")) document.getElementById("editor-said").replaceWith(others);
}

grid = arrange(document.getElementById("canvas"), save, speak);
setInterval(refresh, REFRESH_MS);
