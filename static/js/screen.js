// The wall of a paired screen: it loads anew when editors have it show something else, and says its name when they ask.
// Nobody follows links there: without a session they would lead to the page to sign in, and stay.

import { reloadWhenAnswered } from "./live.js";

const OVER = 4410;
const NAMED_MS = 10_000;
const RENEWED_AFTER_MS = 600_000; // by then the clock of a display is right, also of one that starts with none
const { shows } = document.getElementById("shows").dataset;
let moving = false;
let hiding = 0;

function told() {
  if (document.getElementById("shows").dataset.shows !== shows && !moving) {
    moving = true;
    reloadWhenAnswered();
  }
  if (document.getElementById("screen-name").textContent && !hiding) hiding = setTimeout(hideName, NAMED_MS);
}

function hideName() {
  hiding = 0;
  document.getElementById("screen-name").replaceChildren();
}

new MutationObserver(told).observe(document.getElementById("screen"), { childList: true, subtree: true, attributes: true });

for (const kind of ["click", "auxclick"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.closest?.("a[href]")) event.preventDefault();
  }, true);
}

// This page may not be open for the six hours after which it asks for itself: its cookie begins anew before.
setTimeout(() => fetch("/screen/", { method: "HEAD", cache: "no-store" }).catch(() => {}), RENEWED_AFTER_MS);

// Revoked: the page that comes then asks to be paired again; but only once the server says that there is another.
document.addEventListener("htmx:ws:close", async (event) => {
  if (event.detail.code !== OVER) return;
  const answer = await fetch(`/screen/state/?${new URLSearchParams({ shows })}`, { cache: "no-store" }).catch(() => null);
  if (answer?.headers.has("HX-Refresh")) location.reload();
});
