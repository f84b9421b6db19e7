// A picture that is chosen in the form of a widget is uploaded at once; its hash then stands in the field above.

document.addEventListener("change", async (event) => {
  const chooser = event.target.closest?.("[data-picture]");
  const [file] = chooser?.files ?? [];
  if (!file) return;
  const field = chooser.form.elements[chooser.dataset.picture];
  const said = chooser.nextElementSibling;
  const body = new FormData();
  body.set("file", file);
  said.textContent = "Uploading…";
  try {
    const headers = { "X-CSRFToken": chooser.form.elements.csrfmiddlewaretoken.value };
    const answer = await fetch(chooser.dataset.pictureTo, { method: "POST", body, headers });
    const found = await answer.json().catch(() => ({}));
    said.textContent = answer.ok ? `${file.name}, ${found.width} × ${found.height} pixels.` : (found.detail ?? `The server refused it (${answer.status}).`);
    if (!answer.ok) return;
    field.value = found.hash;
    field.dispatchEvent(new Event("input", { bubbles: true })); // so that the preview follows
  } catch {
    said.textContent = "The server does not answer; choose it once more.";
  } finally {
    chooser.value = "";
  }
});
