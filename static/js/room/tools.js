// What can be done with a message: one toolbar, which is put into the message that is pointed at, focused or tapped.

/**
 * Offer the tools in `template` on the messages in `log`; `act` has send, reply, edit and leave.
 * While `isClosed()`, messages can only be deleted.
 */
export function tools({ log, template, picker, me, moderates, act, isClosed }) {
  const bar = template.content.firstElementChild.cloneNode(true);
  const pick = bar.querySelector("[data-pick]");
  const isMine = (message) => message.dataset.by === me.name;
  let active = null;
  let chooser = null;

  function closePicker() {
    chooser?.remove();
    chooser = null;
    pick.setAttribute("aria-expanded", "false");
  }

  function settle() {
    const erase = bar.querySelector("[data-delete]");
    erase.textContent = "Delete";
    delete erase.dataset.sure;
  }

  function place(message) {
    if (message === active && bar.parentElement === message) return;
    closePicker();
    settle();
    active = message?.classList.contains("deleted") ? null : message;
    if (!active) {
      bar.remove();
      return;
    }
    for (const button of bar.querySelectorAll("button")) button.hidden = isClosed();
    bar.querySelector("[data-edit]").hidden = isClosed() || !isMine(active);
    bar.querySelector("[data-delete]").hidden = !isMine(active) && !moderates;
    active.prepend(bar); // Tab leads to it first
  }

  function openPicker() {
    if (chooser) {
      closePicker();
      return;
    }
    chooser = picker.content.firstElementChild.cloneNode(true);
    bar.append(chooser);
    pick.setAttribute("aria-expanded", "true");
    chooser.querySelector("button").focus();
  }

  function react(emoji) {
    if (active && emoji) act.send({ react: number(active), emoji });
    closePicker();
  }

  /** Lead from what is open back to what it belongs to; return whether there was such a thing. */
  function escape(target) {
    if (chooser) {
      closePicker();
      pick.focus();
    } else if (!isClosed()) {
      place(null);
      act.leave();
    } else if (bar.contains(target)) active.focus();
    else return false;
    return true;
  }

  const number = (message) => Number(message.id.slice("m-".length));

  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.form) return;
    if (button.dataset.emoji) react(button.dataset.emoji);
    else if (button === pick) openPicker();
    else if ("reply" in button.dataset) act.reply(active);
    else if ("edit" in button.dataset) act.edit(active);
    else if (button.dataset.sure) act.send({ delete: number(active) });
    else if ("delete" in button.dataset) {
      button.dataset.sure = "1";
      button.textContent = "Really delete?";
    }
  });

  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    react(event.target.elements.emoji.value.trim());
  });

  log.addEventListener("click", (event) => {
    const message = event.target.closest("article");
    const chip = event.target.closest(".reactions [data-emoji]");
    if (chip && !isClosed()) act.send({ react: number(message), emoji: chip.dataset.emoji });
    else if (event.target.closest("[data-more]")) {
      if (bar.parentElement === message) place(null);
      else {
        place(message);
        bar.querySelector("button:not([hidden])")?.focus();
      }
    }
  });

  log.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && !chooser && !bar.contains(document.activeElement)) {
      place(event.target.closest("article"));
    }
  });

  log.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !chooser && !active?.contains(document.activeElement)) place(null);
  });

  log.addEventListener("focusin", (event) => {
    const message = event.target.closest("article");
    if (message && !event.target.closest("[data-more]")) place(message);
  });

  log.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !log.contains(relatedTarget)) place(null);
  });

  log.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (escape(event.target)) event.preventDefault();
      return;
    }
    if (event.target.closest(".tools, a, button, input")) return;
    const all = [...log.querySelectorAll("article")];
    const at = all.indexOf(event.target.closest("article"));
    const from = at < 0 ? all.length : at;
    const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
  });

  return {
    /** Take the tools away: others are offered from now on. */
    close: () => place(null),

    /** Put the tools back into a message that was drawn anew. */
    again() {
      if (!active || bar.parentElement === active) return;
      const focused = document.activeElement === document.body;
      const now = document.getElementById(active.id);
      place(null);
      if (!now) return;
      place(now);
      if (focused) now.focus({ preventScroll: true });
    },
  };
}
