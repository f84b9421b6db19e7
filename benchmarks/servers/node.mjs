// `node node.mjs PORT FRAGMENT_BYTES`, with the package ws installed beside it: a plain loop over all sockets.

import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const [port, fragmentBytes] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({ host: "127.0.0.1", port, backlog: 2048, perMessageDeflate: false });
let rate = 0;
let number = 0;
let nextAt = 0;

createInterface({ input: process.stdin })
  .on("line", (line) => { rate = Number(line); })
  .on("close", () => process.exit(0));

function frame() {
  const now = (performance.timeOrigin + performance.now()) / 1000;
  const start = '<article id="w-1" class="widget">';
  const end = `<b data-sent="${now.toFixed(6)}"></b></article>`;
  const fragment = start + "x".repeat(fragmentBytes - start.length - end.length) + end;
  return `<hx-partial hx-target="#w-1" hx-swap="outerMorph">${fragment}</hx-partial>`
    + '<hx-partial hx-target="#pulse" hx-swap="outerMorph"><i id="pulse" hidden data-epoch="0123456789abcdef"'
    + ` data-version="${++number}" data-time="${now.toFixed(3)}" data-build="0123456789ab" data-revision="1"></i></hx-partial>`;
}

// Timers are no finer than 1 ms: each one makes up for what is due, but for no more than 100 ms.
function tick() {
  const now = performance.now();
  if (!rate) nextAt = now;
  nextAt = Math.max(nextAt, now - 100);
  if (rate && nextAt <= now) {
    const text = Buffer.from(frame());
    for (const client of server.clients) client.send(text, { binary: false });
    nextAt += 1000 / rate;
  }
  if (rate && nextAt <= performance.now()) setImmediate(tick);
  else setTimeout(tick, 1);
}
tick();
