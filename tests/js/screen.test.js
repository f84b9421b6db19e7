import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

/** The wall of a screen that shows "3 1h"; `answer` is what the server says to whatever it asks. */
async function wall() {
  const time = new Time();
  const pulse = new Element({ epoch: "e1", version: "3", time: "1795176000", build: "b1", revision: "1" });
  const [shows, name, screen] = [new Element({ shows: "3 1h" }), new Element(), new Element()];
  name.replaceChildren = () => { name.textContent = ""; };
  const lost = new Element({}, { "[data-lost-why]": new Element(), "[data-lost-age]": new Element() });
  const page = new Document({ pulse, lost, behind: new Element(), shows, "screen-name": name, screen });
  const made = { time, shows, name, page, asked: [], reloads: 0, answer: null };
  globals({
    WebSocket: { OPEN: 1 },
    location: { href: "https://watch.example/screen/", pathname: "/screen/", reload: () => { made.reloads += 1; } },
    sessionStorage: { getItem: () => null, setItem: () => {} },
    MutationObserver: class {
      constructor(told) { made.told = told; }

      observe() {}
    },
    fetch: async (path, { method = "GET" }) => {
      made.asked.push(`${method} ${new URL(path, "https://watch.example").pathname}`);
      if (!made.answer) throw new TypeError("no network");
      return made.answer;
    },
  });
  await load("screen.js");
  return made;
}

const answer = (headers = []) => ({ ok: true, url: "https://watch.example/screen/", headers: new Set(headers) });
const settled = () => new Promise(setImmediate);

test("it loads anew once when it is to show something else, and the server answers", async () => {
  const page = await wall();
  page.told();
  page.shows.dataset.shows = "4 6h";
  page.answer = answer();
  page.told();
  page.told();
  await settled();
  assert.equal(page.reloads, 1);
});

test("it says its name for ten seconds", async () => {
  const page = await wall();
  page.name.textContent = "Lobby";
  page.told();
  await page.time.pass(9);
  page.told();
  assert.equal(page.name.textContent, "Lobby");
  await page.time.pass(2);
  assert.equal(page.name.textContent, "");
});

for (const [code, says, reloads] of [[4410, answer(["HX-Refresh"]), 1], [4410, answer(), 0], [4410, null, 0], [1012, answer(["HX-Refresh"]), 0]]) {
  test(`closed with ${code}, it loads anew ${reloads} times when the server ${says ? `says ${[...says.headers]}` : "is away"}`, async () => {
    const page = await wall();
    page.answer = says;
    const connection = { url: "wss://watch.example/ws/screen/" };
    page.page.happens("htmx:ws:close", { detail: { connection, code, reason: "closed" } });
    await settled();
    assert.equal(page.reloads, reloads);
  });
}

test("it has its cookie renewed ten minutes after it was loaded, when the clock of the display is right", async () => {
  const page = await wall();
  await page.time.pass(1);
  page.asked.length = 0;
  globalThis.fetch = async (path, { method }) => { page.asked.push([method, path]); return answer(); };
  await page.time.pass(601);
  assert.ok(page.asked.some(([method, path]) => method === "HEAD" && path === "/screen/"));
});
