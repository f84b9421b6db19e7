// Follow a socket: `node --experimental-websocket follow.mjs URL [TOKEN]` with Node's own WebSocket; with the path of npm's
// package `ws` in WS with that. What comes is a line each on stdout, lines on stdin are sent; the end of stdin closes it.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [url, token] = process.argv.slice(2);
const Socket = process.env.WS ? createRequire(import.meta.url)(process.env.WS) : WebSocket;
const options = token ? { headers: { authorization: `Bearer ${token}` } } : undefined;
const socket = new Socket(url, options);
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
