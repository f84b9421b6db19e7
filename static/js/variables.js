// The choice of variables: lists that are filtered while one types, opened one at a time. Without this they are forms.

const FILTER_FROM = 9; // fewer values are seen at a glance

const every = [...document.querySelectorAll("[data-variables] > details")];

const options = (details) => [...details.querySelectorAll("[data-option]")].filter((one) => one.offsetParent !== null);

function close(details, { focus = false } = {}) {
  details.open = false;
  if (focus) details.querySelector("summary").focus();
}

function filter(details, text) {
  const wanted = text.trim().toLocaleLowerCase();
  let found = 0;
  for (const item of details.querySelectorAll("li:not(.variable-none)")) {
    item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
    found += !item.hidden;
  }
  details.querySelector("[data-none]").hidden = Boolean(found) || !wanted;
  const all = details.querySelector("form > [data-option]");
  if (all) all.hidden = Boolean(wanted);
}

/** The list begins at its summary, and stays on the screen. */
function place(details) {
  const form = details.querySelector("form");
  form.classList.remove("from-right");
  form.classList.toggle("from-right", form.getBoundingClientRect().right > document.documentElement.clientWidth);
}

for (const details of every) {
  const field = details.querySelector("[data-filter]");
  field.hidden = details.querySelectorAll("li").length < FILTER_FROM;
  field.addEventListener("input", () => filter(details, field.value));

  details.addEventListener("toggle", () => {
    if (!details.open) return;
    for (const other of every) if (other !== details) close(other);
    place(details);
    const marked = details.querySelector("[data-option]:checked, [data-option][aria-pressed]") ?? options(details)[0];
    marked?.scrollIntoView({ block: "nearest" });
    // A finger would get the keyboard over the list.
    if (!field.hidden && matchMedia("(pointer: fine)").matches) field.focus();
    else marked?.focus();
  });

  details.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      close(details, { focus: true });
    } else if (event.key === "Enter" && event.target === field) {
      event.preventDefault(); // the first button of the form would be pressed
      if (field.value.trim()) options(details).find((one) => one.closest("li"))?.click();
    } else if (event.key === "Enter" && event.target.matches("[type=checkbox]")) {
      event.preventDefault();
      details.querySelector("form").requestSubmit(details.querySelector(".variable-actions button"));
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && details.open) {
      event.preventDefault();
      const those = options(details);
      const at = those.indexOf(event.target);
      those.at(event.key === "ArrowDown" ? Math.min(at + 1, those.length - 1) : Math.max(at - 1, 0))?.focus();
    }
  });
}

document.addEventListener("pointerdown", (event) => {
  for (const details of every) if (details.open && !details.contains(event.target)) close(details);
});
