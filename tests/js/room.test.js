import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

const WS = "ws://watch.example/ws/rooms/7/?after=0";
const HTML = (n, swap = "beforeend") => `<hx-partial hx-target="#log" hx-swap="${swap}"><article id="m-1" class="message" data-entry="${n}" data-text="data-entry=&quot;99&quot;">`;

/** A connection of a page whose newest entry is `newest`; `server` answers what is asked of it, in order. */
async function connection({ newest = 3, server = [] } = {}) {
  const time = new Time();
  const lost = new Element();
  lost.hidden = true;
  const page = new Document();
  const made = { time, lost, page, asked: 0, closed: 0, calls: [], sent: [] };
  globals({
    AbortSignal: { timeout: () => null },
    fetch: async () => {
      made.asked += 1;
      if ((server.shift() ?? 200) === "silence") throw new TypeError("no network");
      return { ok: true };
    },
  });
  const { connect } = await load("room/connection.js");
  const call = (name) => (what) => made.calls.push(what ? [name, what.error] : name);
  const calls = { opened: call("opened"), closed: call("closed"), heard: call("heard"), refused: call("refused") };
  made.room = connect({ element: null, newest, lost, ...calls });
  const socket = { readyState: 1, close: () => { made.closed += 1; }, send: (text) => made.sent.push(JSON.parse(text)) };
  made.connection = { url: WS, socket };
  made.happens = (name, more = {}) => page.happens(`htmx:ws:${name}`, { detail: { connection: made.connection, ...more } });
  made.comes = (data) => {
    made.happens("before:message:incoming", { message: { data } });
    made.happens("after:message:incoming", { message: { data } });
  };
  made.after = () => {
    made.happens("before:connection");
    return new URL(made.connection.url).searchParams.get("after");
  };
  return made;
}

test("it reads on behind the newest entry that came, a change too, whatever a message says", async () => {
  const page = await connection();
  assert.equal(page.after(), "3");
  const state = '<hx-partial hx-target="#room-state" hx-swap="outerMorph"><div id="room-state" role="status" data-entry="11">';
  for (const [data, after] of [[HTML(4), "4"], [HTML(6, "outerMorph"), "6"], [HTML(5), "6"], [HTML(7) + HTML(9) + HTML(8), "9"], ["<p data-entry=\"19\">", "9"], [state, "11"]]) {
    page.comes(data);
    assert.equal(page.after(), after);
  }
});

test("the socket of notifications is none of its business", async () => {
  const page = await connection();
  page.connection.url = "ws://watch.example/ws/notifications/?personal=1";
  page.happens("before:connection");
  assert.equal(page.connection.url, "ws://watch.example/ws/notifications/?personal=1");
  page.happens("close", { code: 4404 });
  assert.equal(page.lost.hidden, true);
});

test("an error is for who wrote, a greeting and a frame of HTML are none", async () => {
  const page = await connection();
  for (const data of ['{"type":"hello","newest":3}', HTML(4), '{"type":"error","error":"No."}']) page.comes(data);
  assert.deepEqual(page.calls, ["heard", "heard", ["refused", "No."], "heard"]);
});

test("what is sent goes over an open socket alone", async () => {
  const page = await connection();
  assert.equal(page.room.send({ say: "x" }), false);
  page.happens("after:connection");
  assert.equal(page.room.send({ say: "x" }), true);
  page.happens("close", { code: 1006 });
  assert.equal(page.room.send({ say: "y" }), false);
  assert.deepEqual([page.sent, page.calls], [[{ say: "x" }], ["opened", "closed"]]);
});

test("a socket that stays closed is a lost connection, one that comes back is none", async () => {
  const page = await connection();
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
  const page = await connection({ server: ["silence", 200] });
  page.happens("after:connection");
  await page.time.pass(15);
  assert.deepEqual([page.lost.hidden, page.closed, page.room.isOpen], [false, 0, false]);
  await page.time.pass(10);
  assert.equal(page.closed, 1);
});

test("what did not come back is sent again as the same, in order, until it is stored or refused", async () => {
  const { newId, outbox } = await load("room/outbox.js");
  const sent = [];
  const box = outbox((message) => sent.push(`${message.client_id} ${message.say}`), () => {});
  for (const id of ["a", "b", "c"]) box.put(id, { say: id.toUpperCase() });
  assert.deepEqual(box.take("b"), { say: "B" });
  box.again();
  assert.deepEqual(sent, ["a A", "b B", "c C", "a A", "c C"]);
  assert.deepEqual([box.ids, box.take("x")], [["a", "c"], undefined]);
  assert.equal(new Set(Array.from({ length: 100 }, newId)).size, 100);
  assert.match(newId(), /^[0-9a-f]{24}$/);
});

test("a name is completed behind an @ that may begin one", async () => {
  const { typed } = await load("room/mentions.js");
  for (const [text, name] of [["@", ""], ["hello @ad", "ad"], ["(@ad", "ad"], ["me@ad", null], ["@ada ", null], ["a/@x", null], ["", null]])
    assert.equal(typed(text), name, text);
});

test("messages of one sender stand together for five minutes, an answer for itself", async () => {
  new Document();
  const { isTogether } = await load("room/arrange.js");
  const message = (by, at, parts = {}) => new Element({ by, at: String(at) }, parts);
  const first = message("ada", 0);
  for (const [one, expected] of [
    [message("ada", 299), true],
    [message("ada", 300), false],
    [message("bob", 1), false],
    [message("ada", 1, { ".quoted": {} }), false],
  ]) assert.equal(isTogether(one, first), expected);
});

test("a page that is open for days keeps the newest, and leads to those before them", async () => {
  const older = Object.assign(new Element(), { hidden: true });
  const all = [];
  const article = (n) => ({
    id: `m-${n}`, dataset: { by: "user ada", at: "0" }, previousElementSibling: null,
    classList: { toggle() {}, contains: () => false }, querySelector: () => null, querySelectorAll: () => [],
    before() {}, remove() { all.splice(all.indexOf(this), 1); },
  });
  let changed = () => {};
  const log = Object.assign(new Element({ me: "user bob" }), {
    scrollTop: 0, scrollHeight: 1000, clientHeight: 100, querySelectorAll: () => all, classList: { add() {} },
  });
  new Document().createElement = () => new Element();
  globals({
    location: { hash: "" },
    ResizeObserver: class { observe() {} },
    MutationObserver: class {
      constructor(run) { changed = run; }
      observe() {}
    },
  });
  all.push(...Array.from({ length: 509 }, (_, n) => article(n + 1)));
  const { messages } = await load("room/log.js");
  messages(log, new Element({}, { "[data-older]": older }), "/rooms/7/");
  all.push(article(510), article(510)); // which came twice
  changed();
  assert.deepEqual([all.length, all[0].id, all.at(-1).id], [500, "m-11", "m-510"]);
  assert.deepEqual([older.href, older.hidden], ["/rooms/7/?before=11", false]);
});
