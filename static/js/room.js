// A room: what was said, what is said now, and the place to write. There is at most one on a page.
import "./typing.js";

import { composer } from "./room/composer.js";
import { connect } from "./room/connection.js";
import { messages } from "./room/log.js";
import { reading } from "./room/reading.js";
import { tools } from "./room/tools.js";

const ALOUD = "read messages aloud";

const log = document.getElementById("log");
const room = log.closest(".talk");
const form = room.querySelector("[data-say]");
let connection = { isOpen: false, send: () => false };
const shown = messages(log, room, room.dataset.room, () => look());
const look = reading({ messages: shown, connection: () => connection, panel: document.getElementById("beside") });
let writer = null;
let bar = null;

const isClosed = () => "closed" in document.getElementById("room-state").dataset;

/** Take the place to write away from a room that was closed, with what stands in it, and bring it back. */
function closeOrOpen() {
  if (!form || form.hidden === isClosed()) return;
  const wasWriting = form.contains(document.activeElement);
  bar.close();
  form.hidden = isClosed();
  if (wasWriting) log.focus();
}

function readAloud(button) {
  const set = (on) => {
    button.setAttribute("aria-pressed", on);
    log.setAttribute("aria-live", on ? "polite" : "off");
  };
  set(localStorage.getItem(ALOUD) === "yes");
  button.hidden = false;
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    localStorage.setItem(ALOUD, on ? "yes" : "no");
    set(on);
  });
}

readAloud(room.querySelector("[data-aloud]"));

if (form) {
  writer = composer(form, { messages: shown, connection: () => connection });
  const act = {
    reply: writer.reply,
    edit: writer.edit,
    leave: writer.focus,
    send: (what) => connection.send(what) || writer.refused({ error: "Connection lost. Try again when it is back." }),
  };
  bar = tools({
    log,
    template: room.querySelector("[data-tools]"),
    picker: room.querySelector("[data-picker]"),
    me: shown.me,
    moderates: "moderates" in log.dataset,
    act,
    isClosed,
  });
}

connection = connect({
  element: room.querySelector("[hx-ws\\:connect]"),
  newest: Number(log.dataset.newest),
  lost: room.querySelector("[data-lost]"),
  opened() {
    writer?.opened();
    look();
  },
  closed: () => writer?.closed(),
  heard() {
    writer?.heard();
    bar?.again();
    closeOrOpen();
    look();
  },
  refused: (error) => writer?.refused(error),
});

// A page from the back/forward cache has a closed socket that nothing reopens.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
