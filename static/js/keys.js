// Keys of a page: pressing one does what the element with that `aria-keyshortcuts` is for, and ? shows them all.

const NOT_USED = "keys are not used";

const OF_HIDDEN_FORM = "form[hidden] *";

const sheet = document.getElementById("keys");
const used = sheet.querySelector("[data-keys-used]");

used.checked = localStorage.getItem(NOT_USED) === null;
used.addEventListener("change", () => {
  if (used.checked) localStorage.removeItem(NOT_USED);
  else localStorage.setItem(NOT_USED, "yes");
});

/** What an element is called on the sheet: what is written for it, else what it says. */
function name(element) {
  return element.dataset.keyFor ?? element.getAttribute("aria-label") ?? element.textContent.replace(/\s+/g, " ").trim();
}

function use(element) {
  if (element.matches("input")) element.select(); // and focus it
  else if (element.matches("[role=toolbar]")) element.querySelector("button:enabled")?.focus();
  else if (element.matches("nav")) (element.querySelector("[aria-current]") ?? element.querySelector("a"))?.focus();
  else element.click();
}

function show() {
  const rows = [...document.querySelectorAll(`[aria-keyshortcuts]:not(${OF_HIDDEN_FORM})`)].map((element) => {
    const row = document.createElement("tr");
    const [key, what] = [document.createElement("td"), document.createElement("th")];
    const cap = document.createElement("kbd");
    cap.textContent = element.getAttribute("aria-keyshortcuts");
    what.scope = "row";
    what.textContent = name(element);
    key.append(cap);
    row.append(key, what);
    return row;
  });
  sheet.querySelector("tbody").replaceChildren(...rows);
  sheet.showModal();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (!used.checked || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("input, textarea, select, [role=log], [contenteditable]")) return;
  if (document.querySelector("[popover]:popover-open") && event.key !== "n") return; // n closes it
  const element = document.querySelector(`[aria-keyshortcuts~="${CSS.escape(event.key)}"]:not(${OF_HIDDEN_FORM})`);
  if (!element) return;
  event.preventDefault();
  use(element);
});

sheet.querySelector("[data-close-keys]").addEventListener("click", () => sheet.close());
document.querySelector("[data-keys]")?.addEventListener("click", show);
document.querySelector("[data-full-screen]")?.addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.();
});
