import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

const WS = "ws://watch.example/ws/rooms/7/?after=0";

class Log extends Element {
  scrollTop = 0;
  scrollHeight = 1000;
  clientHeight = 100;

  constructor(numbers) {
    super();
    this.numbers = numbers;
  }

  get children() { return this.numbers; }

  get firstElementChild() { return { id: `m-${this.numbers[0]}`, remove: () => this.numbers.shift() }; }

  get lastElementChild() { return this.numbers.length ? { id: `m-${this.numbers.at(-1)}` } : null; }
}

/** A room that was just loaded with these messages; `server` answers what is asked of it, in order. */
async function room({ numbers = [1, 2, 3], server = [] } = {}) {
  const time = new Time();
  const log = new Log(numbers);
  const older = new Element();
  older.hidden = true;
  const lost = new Element();
  lost.hidden = true;
  const refused = new Element();
  const text = Object.assign(new Element(), { value: "" });
  const form = Object.assign(new Element({}, { "[data-refused]": refused }), { elements: { text }, action: "/rooms/7/" });
  form.requestSubmit = () => form.happens("submit", { preventDefault: () => {} });
  const page = new Document({ log });
  page.parts = { "[data-older]": older, "[data-lost]": lost, "[data-say]": form };
  const made = { time, log, older, lost, refused, text, form, page, sent: [], asked: 0, closed: 0, changed: () => {} };
  globals({
    location: { reload: () => {} },
    ResizeObserver: class { observe() {} },
    MutationObserver: class {
      constructor(run) { made.changed = run; }
      observe() {}
    },
    AbortSignal: { timeout: () => null },
    fetch: async (url, { body } = {}) => {
      if (!body) made.asked += 1;
      else made.sent.push([body.get("text"), body.get("client_id")]);
      const answer = server.shift() ?? (body ? 204 : 200);
      if (answer === "silence") throw new TypeError("no network");
      return { status: answer, ok: answer < 400 };
    },
  });
  globals({ FormData: class extends Map { constructor() { super(); } } });
  await load("room.js");
  made.connection = { url: WS, socket: { close: () => { made.closed += 1; } } };
  made.happens = (name, more = {}) => page.happens(`htmx:ws:${name}`, { detail: { connection: made.connection, ...more } });
  made.writes = async (what) => {
    text.value = what;
    text.happens("keydown", { key: "Enter", preventDefault: () => {} });
    for (let n = 0; n < 5; n += 1) await new Promise(setImmediate);
  };
  return made;
}

test("it connects behind the newest message that it shows, each time", async () => {
  const page = await room();
  page.happens("before:connection");
  assert.equal(new URL(page.connection.url).searchParams.get("after"), "3");
  page.log.numbers.push(4, 5);
  page.happens("before:connection");
  assert.equal(new URL(page.connection.url).searchParams.get("after"), "5");
  const empty = await room({ numbers: [] });
  empty.happens("before:connection");
  assert.equal(new URL(empty.connection.url).searchParams.get("after"), "0");
});

test("the socket of notifications is none of its business", async () => {
  const page = await room();
  page.connection.url = "ws://watch.example/ws/notifications/?personal=1";
  page.happens("before:connection");
  assert.equal(page.connection.url, "ws://watch.example/ws/notifications/?personal=1");
  page.happens("close", { code: 4404 });
  assert.equal(page.lost.hidden, true);
});

test("Enter sends and clears, Shift+Enter and the Enter of an input method do not", async () => {
  const page = await room();
  await page.writes("hello");
  assert.deepEqual([page.sent.map(([text]) => text), page.text.value], [["hello"], ""]);
  for (const how of [{ shiftKey: true }, { isComposing: true }]) {
    page.text.value = "two";
    page.text.happens("keydown", { key: "Enter", ...how });
  }
  await page.writes("  ");
  assert.equal(page.sent.length, 1);
});

test("what was not answered stays, and is sent again as the same; another text is another message", async () => {
  const page = await room({ server: ["silence", 204, "silence", 204] });
  await page.writes("one");
  assert.equal(page.text.value, "one");
  assert.match(page.refused.textContent, /does not answer/);
  await page.writes("one");
  assert.deepEqual([page.text.value, page.refused.textContent], ["", ""]);
  await page.writes("two");
  await page.writes("two, changed");
  const ids = page.sent.map(([, id]) => id);
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 3);
});

test("what is typed while a message is on its way is not lost when that fails", async () => {
  const page = await room({ server: [500] });
  const done = page.writes("one");
  page.text.value = "two";
  await done;
  assert.equal(page.text.value, "one\ntwo");
  assert.match(page.refused.textContent, /answered 500; nothing was sent/);
});

test("who is signed out is told so, and keeps the text", async () => {
  const page = await room({ server: [401] });
  await page.writes("one");
  assert.equal(page.text.value, "one");
  assert.match(page.refused.textContent, /You are signed out; nothing was sent/);
});

test("a socket that stays closed is a lost connection, one that comes back is none", async () => {
  const page = await room();
  page.happens("after:connection");
  page.happens("close", { code: 1006 });
  await page.time.pass(3);
  page.happens("after:connection");
  await page.time.pass(4);
  assert.equal(page.lost.hidden, true);
  page.happens("close", { code: 1006 });
  await page.time.pass(6);
  assert.deepEqual([page.lost.hidden, page.lost.textContent.startsWith("Connection lost.")], [false, true]);
  page.happens("after:connection");
  assert.equal(page.lost.hidden, true);
  page.happens("close", { code: 4404 });
  assert.match(page.lost.textContent, /This room is gone/);
});

test("a network that went away is found out within 15 s, and the socket is opened anew after it", async () => {
  const page = await room({ server: ["silence", 200] });
  page.happens("after:connection");
  await page.time.pass(15);
  assert.deepEqual([page.lost.hidden, page.closed], [false, 0]);
  await page.time.pass(10);
  assert.equal(page.closed, 1);
});

test("a page that is open for days keeps the newest, and leads to those before them", async () => {
  const page = await room({ numbers: Array.from({ length: 510 }, (_, n) => n + 1) });
  page.changed();
  assert.deepEqual([page.log.numbers.length, page.log.numbers[0]], [500, 11]);
  assert.deepEqual([page.older.href, page.older.hidden], ["?before=11", false]);
});
