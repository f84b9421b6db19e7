// A room: Enter sends, the newest message stays in view for whoever was there, and what failed is sent again as the same.
import "./typing.js";

const SHOWN = 500; // older ones go from a page that stays open for days, and are behind "Older"
const LOST_AFTER_MS = 5000;
const ASK_EVERY_MS = 10_000;
const ANSWERS_WITHIN_MS = 5000;
const SENDS_WITHIN_MS = 15_000;
const LOST = "Connection lost. What others write shows when it is back.";
const REFUSED = {
  4401: "You are signed out. Sign in again to read on.",
  4403: "This page may not connect to the server that it asks.",
  4404: "This room is gone, or is not for you any more.",
};

const log = document.getElementById("log");
const older = document.querySelector("[data-older]");
const lost = document.querySelector("[data-lost]");
const form = document.querySelector("[data-say]");

const number = (message) => Number(message?.id.slice("m-".length) || 0);

// --- What is said ---------------------------------------------------------------------------------------

let follows = true;

function isAtEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function toEnd() {
  if (follows) log.scrollTop = log.scrollHeight;
}

function trim() {
  if (!follows || log.children.length <= SHOWN) return;
  while (log.children.length > SHOWN) log.firstElementChild.remove();
  older.href = `?before=${number(log.firstElementChild)}`;
  older.hidden = false;
}

toEnd();
log.addEventListener("scroll", () => { follows = isAtEnd(); });
new ResizeObserver(toEnd).observe(log); // a phone's keyboard takes half of it
new MutationObserver(() => {
  trim();
  toEnd();
}).observe(log, { childList: true });

// --- The socket -----------------------------------------------------------------------------------------

let socket = null;
let lostTimer = 0;
let isSilent = false;

const isOurs = (event) => event.detail.connection.url.includes("/ws/rooms/");

function say(what) {
  if (lost.textContent !== what) lost.textContent = what;
  lost.hidden = !what;
}

// After a break the server sends what came after the newest message here.
document.addEventListener("htmx:ws:before:connection", (event) => {
  if (!isOurs(event)) return;
  const { connection } = event.detail;
  const url = new URL(connection.url);
  url.searchParams.set("after", number(log.lastElementChild));
  connection.url = url.href;
});

document.addEventListener("htmx:ws:after:connection", (event) => {
  if (!isOurs(event)) return;
  socket = event.detail.connection.socket;
  clearTimeout(lostTimer);
  lostTimer = 0;
  say("");
});

document.addEventListener("htmx:ws:after:message:incoming", (event) => {
  if (!isOurs(event)) return;
  isSilent = false;
  say("");
});

document.addEventListener("htmx:ws:close", (event) => {
  if (!isOurs(event)) return;
  socket = null;
  const why = REFUSED[event.detail.code];
  if (why) say(why);
  else lostTimer ||= setTimeout(() => say(LOST), LOST_AFTER_MS);
});

// A network that goes away closes no socket: so the page asks, and connects anew once it is answered again.
async function ask() {
  if (!socket || document.hidden) return;
  try {
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    if (isSilent) socket?.close();
    isSilent = false;
  } catch {
    isSilent = true;
    say(LOST);
  }
}

setInterval(ask, ASK_EVERY_MS);

// A page from the back/forward cache has a closed socket that nothing reopens.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// --- Writing --------------------------------------------------------------------------------------------

if (form) {
  const text = form.elements.text;
  const refused = form.querySelector("[data-refused]");
  let failed = { text: "", id: "" };
  let sending = Promise.resolve(); // one after the other: they arrive in the order in which they were written

  const newId = () => crypto.randomUUID?.() ?? String(Math.random());

  async function post(said, id) {
    const body = new FormData(form);
    body.set("text", said);
    body.set("client_id", id);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: { "HX-Request": "true" },
        keepalive: true, // also when the page is left now
        signal: AbortSignal.timeout(SENDS_WITHIN_MS),
      });
      if (answer.status === 204) return "";
      if (answer.status === 401) return "You are signed out; nothing was sent. Copy your text, and sign in again.";
      if (answer.status === 422) return "A message has 1 to 4000 characters.";
      return `The server answered ${answer.status}; nothing was sent. Copy your text, and load this page again.`;
    } catch {
      return "The server does not answer. Try again: if it was sent already, it is not sent twice.";
    }
  }

  async function deliver(said, id) {
    refused.textContent = await post(said, id);
    if (!refused.textContent) return;
    failed = { text: said, id };
    text.value = text.value ? `${said}\n${text.value}` : said;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = text.value;
    if (!said.trim()) return;
    const id = said === failed.text ? failed.id : newId();
    text.value = "";
    follows = true;
    toEnd();
    sending = sending.then(() => deliver(said, id));
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}
