// Who types: told to the room at most every two seconds, and not shown to the one who does.
const TELLS_EVERY_MS = 2000;

let socket = null;
let toldAt = -TELLS_EVERY_MS;

const isOurs = (event) => event.detail.connection.url.includes("/ws/rooms/");

document.addEventListener("htmx:ws:after:connection", (event) => {
  if (isOurs(event)) socket = event.detail.connection.socket;
});
document.addEventListener("htmx:ws:close", (event) => {
  if (isOurs(event)) socket = null;
});

document.addEventListener("input", (event) => {
  const now = performance.now();
  if (!event.target.closest?.("form[data-say]") || event.target.name !== "text" || !event.target.value.trim()) return;
  if (now - toldAt < TELLS_EVERY_MS || socket?.readyState !== WebSocket.OPEN) return;
  toldAt = now;
  socket.send('{"typing":true}');
});

function hideOwn() {
  const line = document.querySelector(".here-typing");
  const me = document.querySelector("[data-me]")?.dataset.me.replace(/^user /, "");
  if (line) line.hidden = line.dataset.typists === me;
}

new MutationObserver(hideOwn).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-typists"] });
