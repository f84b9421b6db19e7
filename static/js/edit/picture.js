// A picture that is chosen in the form of a widget is uploaded at once; its hash then stands in the field above.
// Meanwhile the form may be drawn anew, as for one more entry of a list: it is looked up again, and not saved before.

const going = new Map(); // addresses of forms, with how many of their pictures are uploaded just now

/** The form of a widget that is sent to `action`, if it is still there. */
const formOf = (action) => [...document.querySelectorAll("#form")].find((one) => one.action === action);

/** Say it below the field `name` of a form. */
function say(action, name, text) {
  const chooser = formOf(action)?.querySelector(`[data-picture="${CSS.escape(name)}"]`);
  if (chooser) chooser.nextElementSibling.textContent = text;
}

function count(action, more) {
  going.set(action, (going.get(action) ?? 0) + more);
  hold();
}

/** Have forms saved only once their pictures are there. */
function hold() {
  for (const form of document.querySelectorAll("#form:has([data-picture])")) {
    for (const button of form.querySelectorAll("[type=submit]:not([hx-post])")) button.disabled = going.get(form.action) > 0;
  }
}

document.addEventListener("change", async (event) => {
  const chooser = event.target.closest?.("[data-picture]");
  const [file] = chooser?.files ?? [];
  if (!file) return;
  const { picture: name, pictureTo } = chooser.dataset;
  const { action, elements } = chooser.form;
  const body = new FormData();
  body.set("file", file);
  say(action, name, "Uploading…");
  count(action, 1);
  try {
    const headers = { "X-CSRFToken": elements.csrfmiddlewaretoken.value };
    const answer = await fetch(pictureTo, { method: "POST", body, headers });
    const found = await answer.json().catch(() => ({}));
    say(action, name, answer.ok ? `${file.name}, ${found.width} × ${found.height} pixels.` : (found.detail ?? `The server refused it (${answer.status}).`));
    const field = formOf(action)?.elements[name];
    if (!answer.ok || !field) return;
    field.value = found.hash;
    field.dispatchEvent(new Event("input", { bubbles: true })); // so that the preview follows
  } catch {
    say(action, name, "The server does not answer; choose it once more.");
  } finally {
    chooser.value = "";
    count(action, -1);
  }
});

document.addEventListener("htmx:after:swap", hold);
