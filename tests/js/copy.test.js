import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, Time, globals, load } from "./page.js";

/** A page with a button that copies what has the id `secret`. */
async function page(secret, clipboard) {
  const time = new Time();
  globals({ navigator: { clipboard } });
  const document = new Document({ secret });
  const button = new Element({ copy: "secret" });
  button.nextElementSibling = new Element();
  button.closest = (selector) => (selector === "[data-copy]" ? button : null);
  await load("copy.js");
  const press = async (target = button) => {
    document.happens("click", { target });
    await new Promise(setImmediate);
  };
  return { time, press, said: () => button.nextElementSibling.textContent };
}

for (const [what, secret] of [
  ["a field", Object.assign(new Element(), { value: "wf_1" })],
  ["any other element", Object.assign(new Element(), { textContent: "wf_1" })],
]) {
  test(`the text of ${what} is copied, and that is said for a while`, async () => {
    const copied = [];
    const { time, press, said } = await page(secret, { writeText: async (text) => copied.push(text) });
    await press();
    assert.deepEqual(copied, ["wf_1"]);
    assert.equal(said(), "Copied");
    await time.pass(6);
    assert.equal(said(), "");
  });
}

for (const [where, clipboard] of [
  ["there is no clipboard", undefined],
  ["it is not allowed", { writeText: async () => { throw new DOMException("no", "NotAllowedError"); } }],
]) {
  test(`where ${where} the text is selected`, async () => {
    const done = [];
    const secret = Object.assign(new Element(), { value: "wf_1", focus: () => done.push("focus"), select: () => done.push("select") });
    const { press, said } = await page(secret, clipboard);
    await press();
    assert.deepEqual(done, ["focus", "select"]);
    assert.match(said(), /^Selected/);
  });

  test(`where ${where} what is no field is selected, too`, async () => {
    const selected = [];
    globals({ getSelection: () => ({ selectAllChildren: (one) => selected.push(one) }) });
    const secret = Object.assign(new Element(), { textContent: "wf_1" });
    const { press } = await page(secret, clipboard);
    await press();
    assert.deepEqual(selected, [secret]);
  });
}

test("a press elsewhere copies nothing", async () => {
  const copied = [];
  const { press } = await page(new Element(), { writeText: async (text) => copied.push(text) });
  await press({ closest: () => null });
  assert.deepEqual(copied, []);
});
