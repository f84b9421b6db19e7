// Writing: a new message, an answer to one, or another text for one's own. A text that can't be sent now stays in its field.
import { attachments } from "./files.js";
import { mentions } from "./mentions.js";
import { newId, outbox } from "./outbox.js";

const SHOW_UNSENT_AFTER_MS = 1000;
const AGAIN_AFTER_MS = 2000;
const EXCERPT = 100;
const HELD = "Not sent yet: it is sent when the connection is back.";

const commands = () => JSON.parse(document.getElementById("room-commands")?.textContent ?? "[]");
const nameOf = (message) => message.querySelector("header b").textContent;
const number = (message) => Number(message.id.slice("m-".length));

/** Have `form` write into the room; `send` returns whether there was a connection, `messages` are those shown. */
export function composer(form, { messages, connection }) {
  const field = form.elements.text;
  const refused = form.querySelector("[data-refused]");
  const about = form.querySelector("[data-about]");
  const unsent = form.querySelector("[data-unsent]");
  const kept = `draft ${form.getAttribute("action")}`;
  const people = mentions(field, form.querySelector("[role=listbox]"), form.dataset.people, commands());
  const files = attachments(form, say);
  const box = outbox((message) => connection().send(message), () => setTimeout(showUnsent, SHOW_UNSENT_AFTER_MS));
  let editing = null; // {number, draft}: what is edited, and what stood in the field before
  let replying = 0;
  let edited = null; // the edit that was sent last
  let isHeld = false;

  function say(sentence) {
    if (refused.textContent !== sentence) refused.textContent = sentence;
  }

  function fill(text) {
    field.value = text;
    keep();
  }

  function keep() {
    if (editing) return;
    if (field.value) sessionStorage.setItem(kept, field.value);
    else sessionStorage.removeItem(kept);
  }

  function showUnsent() {
    unsent.replaceChildren(...box.waiting.map((message) => {
      const line = document.createElement("li");
      line.dir = "auto";
      line.textContent = message.say || "A file";
      return line;
    }));
    unsent.hidden = !box.waiting.length;
  }

  function showAbout(text) {
    about.hidden = !text;
    about.querySelector("[data-about-text]").textContent = text;
  }

  function stop() {
    if (editing) {
      const { draft } = editing;
      editing = null;
      fill(draft);
    }
    replying = 0;
    isHeld = false;
    say("");
    showAbout("");
  }

  function reply(message) {
    if (editing) stop();
    replying = number(message);
    showAbout(`Reply to ${nameOf(message)}: ${message.dataset.text.slice(0, EXCERPT)}`);
    field.focus();
  }

  function edit(message, text = message.dataset.text) {
    if (editing) stop();
    replying = 0;
    editing = { number: number(message), before: message.dataset.text, draft: field.value };
    field.value = text;
    showAbout("Edit your message");
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }

  function editLast() {
    const own = [...messages.articles()].filter((one) => one.dataset.by === messages.me.name && one.dataset.text);
    if (own.length) edit(own.at(-1));
  }

  function beside() {
    const { range, at, chosen } = form.elements;
    return {
      ...(range?.value && { range: range.value }),
      ...(chosen?.value && { chosen: chosen.value }),
      ...(at?.value && { at: Number(at.value) }),
    };
  }

  function submit() {
    const text = field.value;
    if (!text.trim() && (editing || !files.hasAny)) return;
    if (files.isBusy && !editing) {
      say("A file is still on its way.");
      return;
    }
    if (editing && text.trim() === editing.before) {
      stop();
      return;
    }
    if (!connection().isOpen) {
      isHeld = true;
      say(HELD);
      return;
    }
    if (editing) {
      edited = { number: editing.number, text };
      connection().send({ edit: editing.number, text });
      stop();
      return;
    }
    box.put(newId(), { say: text, ...files.taken(), ...(replying && { reply_to: replying }), ...beside() });
    fill("");
    stop();
    messages.toEnd();
  }

  function putBack(message, sentence) {
    files.putBack(message.files);
    fill(field.value ? `${message.say}\n${field.value}` : message.say);
    say(sentence);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  field.addEventListener("input", keep);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || people.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && (editing || replying || isHeld)) {
      event.preventDefault();
      stop();
    } else if (event.key === "ArrowUp" && !field.value && !replying) {
      event.preventDefault();
      editLast();
    }
  });
  form.querySelector("[data-about-end]").addEventListener("click", () => {
    stop();
    field.focus();
  });
  // What is still on its way when the page is left is sent once more, as the same.
  addEventListener("pagehide", () => {
    for (const [n, message] of box.waiting.entries()) {
      const body = new FormData(form);
      const { files: keys = [], ...rest } = message;
      for (const key of keys) body.append("files", key);
      for (const [name, value] of Object.entries({ ...rest, text: message.say, client_id: box.ids[n] })) body.set(name, value);
      fetch(form.action, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } }).catch(() => {});
    }
  });
  if (!field.value) field.value = sessionStorage.getItem(kept) ?? "";

  return {
    reply,
    edit,
    focus: () => field.focus(),

    /** The connection is there again: what is not stored yet goes once more, and then what waited in the field. */
    opened() {
      box.again();
      if (!isHeld) return;
      isHeld = false;
      say("");
      submit();
    },

    closed: showUnsent,

    /** Something came: a message of ours that is among it was stored. */
    heard() {
      for (const id of box.ids) if (messages.has(id)) box.take(id);
      if (!box.waiting.length) showUnsent();
    },

    /** Something that was sent is refused. */
    refused(error) {
      const sentence = error.error.replace(/^\w+: (.)/, (_, first) => first.toUpperCase());
      const message = error.client_id && box.take(error.client_id);
      if (message) putBack(message, sentence);
      else say(sentence);
      if (error.edit && edited?.number === error.edit && !field.value && !editing) {
        const shown = document.getElementById(`m-${error.edit}`);
        if (shown) edit(shown, edited.text);
        say(sentence);
      }
      if (!message && box.waiting.length) setTimeout(() => box.again(), AGAIN_AFTER_MS); // which one was it?
    },
  };
}
