// Completion of @people, @teams and /commands while one types: a list above the field, by keyboard, mouse or touch.
const WAIT_MS = 120;
const COMMAND = /^\/([a-z]{0,20})$/;
const TYPED = /(?:^|[^\w@/.])@([^\s@]{0,40})$/u;

/** The name that is being typed at the end of `text`, null if that is none. */
export function typed(text) {
  return TYPED.exec(text)?.[1] ?? null;
}

/** The command that is being typed, which is all there is of `text`, null if that is none. */
export function command(text) {
  return COMMAND.exec(text)?.[1] ?? null;
}

/** Complete in `field` with what `address` knows, and with `commands`; `list` is the listbox. */
export function mentions(field, list, address, commands = []) {
  let timer = 0;
  let asked = 0;
  let chosen = -1;

  const options = () => [...list.children];
  const before = () => field.value.slice(0, field.selectionStart);

  function close() {
    clearTimeout(timer);
    asked += 1;
    chosen = -1;
    list.hidden = true;
    list.replaceChildren();
    field.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    const all = options();
    chosen = (index + all.length) % all.length;
    all.forEach((one, n) => one.setAttribute("aria-selected", n === chosen));
    field.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  function accept(option) {
    const start = command(before()) === null ? field.selectionStart - typed(before()).length : 0;
    field.setRangeText(`${option.dataset.name} `, start, field.selectionStart, "end");
    close();
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function show(found) {
    list.replaceChildren(...found.map(({ name, kind, usage, does }, n) => {
      const option = document.createElement("li");
      const label = document.createElement("bdi");
      label.textContent = name;
      option.append(label, kind === "team" ? " team" : does ? ` ${usage ? `${usage}: ` : ""}${does}` : "");
      Object.assign(option, { id: `people-${n}`, role: "option" });
      option.dataset.name = name;
      return option;
    }));
    list.hidden = !found.length;
    if (found.length) choose(0);
    else close();
  }

  async function ask() {
    const name = typed(before());
    if (name === null) return;
    const turn = (asked += 1);
    try {
      const answer = await fetch(`${address}?q=${encodeURIComponent(name)}`);
      if (answer.ok && turn === asked) show((await answer.json()).people);
    } catch {
      // without the server there is no completion
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    const begun = command(before());
    if (begun !== null) show(commands.filter((one) => one.name.startsWith(`/${begun}`)));
    else if (typed(before()) === null) {
      if (!list.hidden) close();
    } else timer = setTimeout(ask, WAIT_MS);
  });
  field.addEventListener("blur", () => setTimeout(close, 200)); // a tap on the list comes after it
  list.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("li");
    event.preventDefault();
    if (option) accept(option);
  });

  return {
    /** Take a key if the list is open; return whether that was all. */
    takes(event) {
      if (list.hidden) return false;
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen - 1);
      else if (event.key === "Enter" && field.value === options()[chosen].dataset.name) return close(), false; // it is whole
      else if (event.key === "Enter" || event.key === "Tab") accept(options()[chosen]);
      else if (event.key === "Escape") close();
      else return false;
      event.preventDefault();
      return true;
    },
  };
}
