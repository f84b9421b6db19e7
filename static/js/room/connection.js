// The socket of a room: says when it is lost, and reads on after the newest entry that the page has.
const LOST_AFTER_MS = 5000;
const ASK_EVERY_MS = 10_000;
const ANSWERS_WITHIN_MS = 5000;
const LOST = "Connection lost. Messages of others show when it is back.";
const REFUSED = {
  4401: "You are signed out. Sign in again to read on.",
  4403: "This page may not connect to the server that it asks.",
  4404: "This room is gone, or is not for you any more.",
};
const ENTRIES = /<hx-partial [^>]*><(?:article|div) [^>]*?data-entry="(\d+)"/g; // texts have no "<" of their own

const isOurs = (event) => event.detail.connection.url.includes("/ws/rooms/");

/**
 * Follow the room over the connection of `element`; `newest` is the number of the newest entry on the page, `lost` the element that says what is wrong.
 * `opened`, `closed`, `heard(text)` and `refused(error)` are called as that happens.
 */
export function connect({ element, newest, lost, opened, closed, heard, refused }) {
  let socket = element?._htmx?.ws?.connection?.socket ?? null; // open already where the room came into an open page
  let lostTimer = 0;
  let isSilent = false;

  function say(what) {
    if (lost.textContent !== what) lost.textContent = what;
    lost.hidden = !what;
  }

  function on(name, run) {
    document.addEventListener(`htmx:ws:${name}`, (event) => { if (isOurs(event)) run(event.detail); });
  }

  on("before:connection", ({ connection }) => {
    const url = new URL(connection.url);
    url.searchParams.set("after", newest);
    connection.url = url.href;
  });

  on("after:connection", ({ connection }) => {
    ({ socket } = connection);
    clearTimeout(lostTimer);
    lostTimer = 0;
    say("");
    opened();
  });

  // Errors and greetings are JSON, which hx-ws does not swap.
  on("before:message:incoming", ({ message }) => {
    if (!message?.data?.startsWith?.("{")) return;
    const found = JSON.parse(message.data);
    if (found.type === "error") refused(found);
  });

  on("after:message:incoming", ({ message }) => {
    isSilent = false;
    say("");
    for (const [, number] of String(message?.data ?? "").matchAll(ENTRIES)) newest = Math.max(newest, Number(number));
    heard();
  });

  on("close", ({ code }) => {
    socket = null;
    const why = REFUSED[code];
    if (why) say(why);
    else lostTimer ||= setTimeout(() => say(LOST), LOST_AFTER_MS);
    closed();
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

  return {
    get isOpen() { return socket?.readyState === 1 && !isSilent; },

    /** Send an object, and return whether there was a connection to send it over. */
    send(what) {
      if (!this.isOpen) return false;
      try {
        socket.send(JSON.stringify(what));
        return true;
      } catch {
        return false;
      }
    },
  };
}
