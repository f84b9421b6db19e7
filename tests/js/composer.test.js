import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

/** A place to write in a room, with a connection that is open or not, and the messages that are shown. */
async function place({ isOpen = true, kept = "" } = {}) {
  const time = new Time();
  const element = (more = {}) => Object.assign(new Element(), { focus() {}, setSelectionRange() {}, replaceChildren() {}, ...more });
  const text = element({ value: "", selectionStart: 0 });
  const refused = element();
  const about = Object.assign(element(), { hidden: true });
  about.parts = { "[data-about-text]": element() };
  const list = element({ hidden: true });
  const form = element({ action: "/rooms/7/", elements: { text, range: { value: "1h" }, at: { value: "" } }, getAttribute: () => "/rooms/7/" });
  form.parts = {
    "[data-refused]": refused, "[data-about]": about, "[data-unsent]": element(), "[role=listbox]": list,
    "[data-about-end]": element(),
  };
  const page = new Document();
  page.createElement = () => element();
  const drafts = new Map([["draft /rooms/7/", kept]]);
  globals({
    sessionStorage: { getItem: (key) => drafts.get(key), setItem: (key, value) => drafts.set(key, value), removeItem: (key) => drafts.delete(key) },
  });
  const shown = [];
  const messages = {
    me: { name: "user ada", teams: [] },
    articles: () => shown,
    has: (id) => shown.some((one) => one.dataset.clientId === id),
    toEnd() {},
  };
  const sent = [];
  const connection = { isOpen, send: (message) => connection.isOpen && sent.push(message) > 0 };
  const { composer } = await load("room/composer.js");
  const writer = composer(form, { messages, connection: () => connection });
  const key = (name, more = {}) => text.happens("keydown", { key: name, preventDefault() {}, ...more });
  const says = (element) => element.textContent;
  const article = (number, by, source, clientId) => Object.assign(
    new Element({ by, text: source, clientId }, { "header b": { textContent: by } }), { id: `m-${number}` },
  );
  return { time, text, refused, about, writer, connection, sent, shown, key, says, article, drafts,
    writes(what) {
      text.value = what;
      key("Enter");
    },
    stored(number) {
      shown.push(article(number, "user ada", sent.at(-1).say, sent.at(-1).client_id));
      writer.heard();
    } };
}

test("Enter sends and clears, Shift+Enter and the Enter of an input method do not", async () => {
  const page = await place();
  page.writes("hello");
  assert.deepEqual([page.sent.map((one) => [one.say, one.range, one.at]), page.text.value], [[["hello", "1h", undefined]], ""]);
  for (const how of [{ shiftKey: true }, { isComposing: true }]) {
    page.text.value = "two";
    page.key("Enter", how);
  }
  page.writes("  ");
  assert.equal(page.sent.length, 1);
});

test("what is written without a connection stays in its field, and is sent once when it is back", async () => {
  const page = await place({ isOpen: false });
  page.writes("one");
  assert.deepEqual([page.text.value, page.sent.length], ["one", 0]);
  assert.match(page.refused.textContent, /Not sent yet/);
  page.connection.isOpen = true;
  page.writer.opened();
  assert.deepEqual([page.text.value, page.refused.textContent, page.sent.map((one) => one.say)], ["", "", ["one"]]);
  page.stored(1);
  page.writer.opened();
  assert.equal(page.sent.length, 1);
});

test("what was under way when the connection broke goes again as the same", async () => {
  const page = await place();
  page.writes("one");
  page.writer.closed();
  page.writer.opened();
  assert.equal(page.sent.length, 2);
  assert.deepEqual(page.sent[0], page.sent[1]);
  page.writes("one");
  assert.notEqual(page.sent[2].client_id, page.sent[0].client_id);
});

test("what is refused comes back to its field, before what was typed meanwhile", async () => {
  const page = await place();
  page.writes("one");
  page.text.value = "two";
  page.writer.refused({ error: "text: it is too long.", client_id: page.sent[0].client_id });
  assert.deepEqual([page.text.value, page.refused.textContent], ["one\ntwo", "It is too long."]);
  page.writer.opened();
  assert.equal(page.sent.length, 1);
});

test("a refusal that names no message has those under way sent again, a little later", async () => {
  const page = await place();
  page.writes("one");
  page.writer.refused({ error: "Too many messages." });
  await page.time.pass(3);
  assert.equal(page.sent.length, 2);
  assert.equal(page.sent[0].client_id, page.sent[1].client_id);
});

test("Up in an empty field edits one's last message, Escape stops, Enter sends the other text", async () => {
  const page = await place();
  page.shown.push(page.article(4, "user ada", "mine"), page.article(5, "user ada", ""), page.article(6, "user bob", "his"));
  page.key("ArrowUp");
  assert.deepEqual([page.text.value, page.about.hidden], ["mine", false]);
  page.key("Escape");
  assert.deepEqual([page.text.value, page.about.hidden], ["", true]);
  page.key("ArrowUp");
  page.writes("mine, changed");
  assert.deepEqual([page.sent, page.text.value], [[{ edit: 4, text: "mine, changed" }], ""]);
  page.key("ArrowUp");
  page.writes("mine");
  assert.equal(page.sent.length, 1);
});

test("an answer says what it answers, once", async () => {
  const page = await place();
  page.writer.reply(page.article(6, "user bob", "his"));
  page.writes("yes");
  page.writes("no");
  assert.deepEqual(page.sent.map((one) => one.reply_to), [6, undefined]);
});

test("a draft is there again after the page was loaded anew", async () => {
  const page = await place({ kept: "half a sen" });
  assert.equal(page.text.value, "half a sen");
  page.writes("half a sentence");
  assert.equal(page.drafts.has("draft /rooms/7/"), false);
});

test("a command is completed only where it is all that was typed", async () => {
  await place();
  const { command, typed } = await load("room/mentions.js");
  const found = ["/", "/ac", "/ack ", "see /ack", "/Ack", "/ack/x", ""].map(command);
  assert.deepEqual(found, ["", "ac", null, null, null, null, null]);
  assert.equal(typed("/ack @a"), "a");
});
