// Buttons with data-copy put the text of the element with that id on the clipboard, such as a secret that is shown once.
// Pages come anew, so presses are heard on the document.

const COPIED = "Copied";
const SELECTED = "Selected: copy it with the keys or the menu of your browser.";
const SAID_MS = 5000;

function select(element) {
  element.focus?.();
  if (element.select) element.select();
  else getSelection().selectAllChildren(element);
}

/** Copy the text of `element`, or select it where that is not allowed, and return what was done in words. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.value ?? element.textContent); // there is none on plain http
    return COPIED;
  } catch {
    select(element);
    return SELECTED;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  const element = button && document.getElementById(button.dataset.copy);
  if (!element) return;
  const said = button.nextElementSibling;
  said.textContent = ""; // so that it is read out again
  const done = await copy(element);
  said.textContent = done;
  setTimeout(() => { if (said.textContent === done) said.textContent = ""; }, SAID_MS);
});
