// The room beside a dashboard: opened by its button, and still open after a reload. Who comes to a dashboard on a phone,
// where the room would cover it, sees the dashboard.

const panel = document.getElementById("beside");
const button = document.querySelector("[data-beside]");
const KEPT = `beside ${panel.dataset.room}`;
const COVERS = matchMedia("(max-width: 900px)"); // the whole dashboard, as in talk.css
const asked = new URLSearchParams(location.search).get("message");

let loading = null;

/** Load the room once, at the message that the page was asked for, and show it when what makes it work is there too. */
async function load() {
  panel.ariaBusy = "true";
  try {
    await loadAll();
  } finally {
    panel.ariaBusy = "false";
  }
}

async function loadAll() {
  const url = asked ? `${panel.dataset.room}?around=${encodeURIComponent(asked)}` : panel.dataset.room;
  await htmx.ajax("GET", url, { target: "#beside", swap: "innerHTML" });
  const form = panel.querySelector("[data-say]");
  for (const name of ["range", "at", "chosen"]) if (form?.elements[name]) form.elements[name].value = panel.dataset[name] ?? "";
  await import(panel.dataset.script);
  if (asked) panel.querySelector(`#m-${CSS.escape(asked)}`)?.scrollIntoView({ block: "center" });
}

async function open(focus) {
  panel.hidden = false;
  document.body.dataset.beside = "open";
  button.setAttribute("aria-expanded", "true");
  sessionStorage.setItem(KEPT, "open");
  loading ??= load().catch((error) => {
    loading = null; // opening it again tries again
    throw error;
  });
  await loading;
  document.dispatchEvent(new Event("visibilitychange")); // what is there is in view now
  if (focus) (panel.querySelector("[data-say]:not([hidden]) textarea") ?? panel.querySelector(".log"))?.focus();
}

function close() {
  panel.hidden = true;
  delete document.body.dataset.beside;
  button.setAttribute("aria-expanded", "false");
  sessionStorage.removeItem(KEPT);
  button.focus();
}

button.addEventListener("click", (event) => {
  event.preventDefault();
  if (panel.hidden) open(true);
  else close();
});

panel.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) close();
});

// Escape closes what is open within the room first: a list of names, a reply, the tools of a message.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !panel.contains(event.target)) return;
  if (document.querySelector("[popover]:popover-open")) return; // the browser closes that
  event.preventDefault();
  close();
});

const isReload = performance.getEntriesByType("navigation")[0]?.type === "reload";
if (asked || (sessionStorage.getItem(KEPT) && (isReload || !COVERS.matches))) open(false);
