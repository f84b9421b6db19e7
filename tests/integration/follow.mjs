// Follow a socket with Node's own WebSocket: `node --experimental-websocket follow.mjs URL [TOKEN]`.
// What comes is a line each on stdout, lines on stdin are sent; the end of stdin closes it.
import { createInterface } from "node:readline";

const [url, token] = process.argv.slice(2);
const socket = new WebSocket(url, token ? { headers: { authorization: `Bearer ${token}` } } : undefined);
socket.addEventListener("message", (event) => console.log(event.data));
socket.addEventListener("close", (event) => {
  console.log(JSON.stringify({ closed: event.code }));
  process.exit();
});
socket.addEventListener("open", () => {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => socket.send(line));
  lines.on("close", () => socket.close(1000));
});
