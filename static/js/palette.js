// The dialog in which anything is found by its name: Ctrl+K opens it, and / on a page without a search of its own.
const WAIT_MS = 120;

const dialog = document.getElementById("palette");
const opener = document.querySelector("[data-palette]");
const field = dialog.querySelector("[role=combobox]");
const list = document.getElementById("palette-options");
const said = dialog.querySelector("[role=status]");
const address = opener.getAttribute("href");
let timer;
let asking = new AbortController();

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

/** Show what has `text` in its name; what was asked before and has not come is of no interest any more. */
async function ask() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const text = field.value;
  try {
    const answer = await fetch(`${address}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" }, signal });
    if (!answer.ok || answer.redirected) throw new Error(answer.redirected ? "You are signed out." : "The server does not answer.");
    list.innerHTML = await answer.text(); // from our own server, as a page is
    list.dataset.of = text;
  } catch (error) {
    if (error.name === "AbortError") return;
    delete list.dataset.of;
    list.textContent = error instanceof TypeError ? "The server does not answer." : error.message;
  }
  const count = options().length;
  choose(text.trim() ? options()[0] : undefined);
  said.textContent = count ? `${count} found` : list.textContent.trim();
}

function open() {
  if (dialog.open || document.querySelector("dialog[open]")) return;
  document.querySelector("[popover]:popover-open")?.hidePopover();
  field.value = "";
  dialog.showModal();
  ask();
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT_MS);
});

dialog.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = options();
  const at = all.indexOf(chosen());
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1 }[event.key];
  if (to !== undefined && all.length) {
    event.preventDefault();
    choose(all[(to + all.length) % all.length]);
    field.focus();
  } else if (event.key === "Enter" && event.target === field) {
    event.preventDefault();
    clearTimeout(timer);
    const typed = field.value;
    (list.dataset.of === typed ? Promise.resolve() : ask()).then(() => field.value === typed && chosen()?.click());
  }
});

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
dialog.addEventListener("close", () => {
  clearTimeout(timer);
  asking.abort();
});

addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  if (dialog.open) dialog.close();
  else open();
});

opener.addEventListener("click", (event) => {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});

if (!document.querySelector('[aria-keyshortcuts~="/"]')) opener.setAttribute("aria-keyshortcuts", "Control+K /");
