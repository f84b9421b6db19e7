import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

const url = "wss://watch.example/ws/dashboards/shop/";
const NOON = 1_795_176_000;
const OPEN = 1;

/** A live page that was just loaded; `server` is what the server says to a page that asks for itself. */
async function live({ server = { ok: true, url: "https://watch.example/d/shop/" } } = {}) {
  const time = new Time();
  const pulse = new Element({ epoch: "e1", version: "3", time: `${NOON}`, build: "b1", revision: "1" });
  const why = new Element();
  const age = new Element();
  const banner = new Element({}, { "[data-lost-why]": why, "[data-lost-age]": age });
  banner.hidden = true;
  const behind = new Element();
  behind.hidden = true;
  const chip = new Element();
  const clock = new Element();
  const page = new Document({ pulse, connection: chip, lost: banner, behind }, { "[data-clock]:not(.drawing *)": [clock] });
  const sent = [];
  const socket = { readyState: OPEN, send: (text) => sent.push(JSON.parse(text)) };
  const made = { time, pulse, why, age, banner, behind, chip, clock, page, sent, socket, reloads: 0, asked: 0, server };
  const kept = new Map();
  globals({
    WebSocket: { OPEN },
    location: { href: "https://watch.example/d/shop/", pathname: "/d/shop/", reload: () => { made.reloads += 1; } },
    sessionStorage: { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) },
    fetch: async () => {
      made.asked += 1;
      if (!made.server) throw new TypeError("no network");
      return made.server;
    },
  });
  await load("live.js");
  page.happens("htmx:ws:after:connection", { detail: { connection: { socket, url } } });
  /** Have a frame come that brings `changes` of the pulse. */
  made.frame = (changes = {}, bytes = 100) => {
    Object.assign(pulse.dataset, { time: `${NOON + (time.ms - 1000) / 1000}`, ...changes });
    page.happens("htmx:ws:after:message:incoming", { detail: { connection: { url }, message: { data: "x".repeat(bytes) } } });
  };
  made.closes = (code, reason = "closed") => page.happens("htmx:ws:close", { detail: { connection: { url }, code, reason } });
  made.state = () => page.body.dataset.live;
  return made;
}

test("a frame makes it live, and the pulse after it keeps it so", async () => {
  const page = await live();
  assert.equal(page.state(), undefined);
  page.frame();
  await page.time.pass(11);
  page.frame();
  await page.time.pass(11);
  assert.deepEqual([page.state(), page.chip.textContent, page.banner.hidden], ["live", "Live", true]);
  assert.equal(page.clock.textContent, "13:00");
});

test("12 s without a pulse are a lost connection, with the age of what is shown", async () => {
  const page = await live();
  page.frame();
  await page.time.pass(13);
  assert.deepEqual([page.state(), page.banner.hidden, page.why.textContent], ["lost", false, "Connection lost."]);
  assert.equal(page.age.textContent, "These values are from 13:00 (Europe/Zurich), 13 s ago.");
  const { writes } = page.why;
  await page.time.pass(3);
  assert.equal(page.why.writes, writes); // it is read out
  page.frame();
  assert.deepEqual([page.state(), page.banner.hidden], ["live", true]);
});

test("a server that has nothing new to tell says why", async () => {
  const page = await live();
  page.frame({ lost: "The database does not answer." });
  assert.deepEqual([page.state(), page.why.textContent], ["lost", "The database does not answer."]);
});

test("a machine that slept does not look alive", async () => {
  const page = await live();
  page.frame();
  await page.time.pass(1);
  page.time.wallMs += 3_600_000; // the monotonic clock stood still
  await page.time.pass(1);
  assert.equal(page.state(), "lost");
});

test("a tab that was hidden slept by right", async () => {
  const page = await live();
  page.frame();
  page.page.hidden = true;
  await page.time.pass(1);
  page.time.wallMs += 3_600_000;
  page.page.hidden = false;
  await page.time.pass(1);
  assert.equal(page.state(), "live");
});

test("it connects with the version that it shows", async () => {
  const page = await live();
  const connection = { url: "wss://watch.example/ws/dashboards/shop/?range=1h" };
  page.page.happens("htmx:ws:before:connection", { detail: { connection } });
  assert.equal(connection.url, "wss://watch.example/ws/dashboards/shop/?range=1h&epoch=e1&version=3");
});

test("versions are acknowledged every 2 s, each once", async () => {
  const page = await live();
  page.frame({ version: "4" });
  page.frame({ version: "5" });
  assert.deepEqual(page.sent, []);
  await page.time.pass(2);
  page.frame({ version: "5" });
  await page.time.pass(2);
  assert.deepEqual(page.sent, [{ ack: 5 }]);
});

test("much is acknowledged at once", async () => {
  const page = await live();
  page.frame({ version: "4" }, 64 * 1024);
  assert.deepEqual(page.sent, [{ ack: 4 }]);
});

test("nothing is sent through a socket that is not open", async () => {
  const page = await live();
  page.socket.readyState = 3;
  page.frame({ version: "4" }, 64 * 1024);
  assert.deepEqual(page.sent, []);
});

test("a page that is behind says by how much", async () => {
  const page = await live();
  page.frame({ behind: "7.5" });
  assert.deepEqual([page.behind.textContent, page.behind.hidden], ["7 s behind", false]);
  page.frame({ behind: "" });
  assert.deepEqual([page.behind.textContent, page.behind.hidden], ["", true]);
});

for (const [code, said] of [
  [4401, "You are signed out. Sign in again to see live values."],
  [4404, "This dashboard is gone, or is not for you any more."],
]) {
  test(`a close with ${code} is told, and asked about soon`, async () => {
    const page = await live({ server: null });
    page.frame();
    page.closes(code);
    assert.deepEqual([page.state(), page.why.textContent], ["denied", said]);
    await page.time.pass(7);
    assert.equal(page.asked, 1);
    assert.equal(page.reloads, 0);
  });
}

test("another close is a reconnection, and a frame forgets a refusal", async () => {
  const page = await live();
  page.frame();
  page.closes(1006);
  assert.equal(page.state(), "reconnecting");
  page.closes(4401);
  assert.equal(page.state(), "denied");
  page.frame();
  assert.equal(page.state(), "live");
});

for (const [what, changes] of [["release", { build: "b2" }], ["revision", { revision: "2" }]]) {
  test(`a new ${what} reloads the page once, when the server answers with it`, async () => {
    const page = await live({ server: null });
    page.frame(changes);
    page.frame(changes);
    for (const _ of [1, 2]) {
      await page.time.pass(10);
      page.frame(changes);
    }
    assert.equal(page.reloads, 0);
    page.server = { ok: true, url: "https://watch.example/d/renamed/" };
    await page.time.pass(10.1);
    assert.equal(page.reloads, 1);
  });
}

for (const [answer, server] of [
  ["an error", { ok: false, url: "https://watch.example/d/shop/" }],
  ["a sign-in form", { ok: true, url: "https://watch.example/sign-in/" }],
]) {
  test(`a page that lost its connection does not reload for ${answer}`, async () => {
    const page = await live({ server });
    page.frame();
    await page.time.pass(120);
    assert.ok(page.asked > 1);
    assert.equal(page.reloads, 0);
  });
}

test("a page that lost its connection reloads when the server answers with it", async () => {
  const page = await live();
  page.frame();
  await page.time.pass(19);
  assert.equal(page.reloads, 0);
  await page.time.pass(3);
  assert.equal(page.reloads, 1);
});

test("a page from the back/forward cache loads anew", async () => {
  const page = await live();
  page.page.window.happens("pageshow", { persisted: false });
  assert.equal(page.reloads, 0);
  page.page.window.happens("pageshow", { persisted: true });
  assert.equal(page.reloads, 1);
});
