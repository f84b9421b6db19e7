import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, load, Time } from "./page.js";

/** A page with a part that htmx fetches so often; `banner` says that it no longer comes. */
async function opened(trigger) {
  const time = new Time();
  const page = new Document();
  const part = new Element();
  part.getAttribute = () => trigger;
  part.matches = () => true;
  const banner = new Element();
  banner.children = [new Element(), new Element()];
  part.before = () => {};
  page.querySelector = () => part;
  page.createElement = () => banner;
  await load("renewal.js");
  const fetched = (ctx) => {
    let dropped = false;
    page.happens("htmx:before:swap", { detail: { ctx }, preventDefault: () => { dropped = true; } });
    if (!dropped) page.happens("htmx:after:swap", { detail: { ctx } });
    return !dropped;
  };
  return {
    time,
    banner,
    fetches() {
      const ctx = { target: part };
      page.happens("htmx:before:request", { detail: { ctx } });
      return () => fetched(ctx);
    },
    sends() { // as a socket does: each part settles by itself, and the whole is of the element that connects it
      const ctx = { target: { matches: () => false } };
      page.happens("htmx:before:swap", { detail: { ctx }, preventDefault: () => assert.fail("it is dropped") });
      page.happens("htmx:after:settle", { target: part, detail: { task: { type: "partial", target: part } } });
      page.happens("htmx:after:swap", { detail: { ctx } });
    },
  };
}

for (const [trigger, fine, late] of [["every 3s", 12, 2], ["every 10s, wake", 12, 2], ["every 30s", 36, 2]]) {
  test(`a part that comes ${trigger} is missed after ${fine} s, and no more once it comes`, async () => {
    const page = await opened(trigger);
    await page.time.pass(fine);
    assert.equal(page.banner.hidden, true);
    await page.time.pass(late);
    assert.equal(page.banner.hidden, false);
    assert.equal(page.banner.children[0].textContent, "The server does not answer.");
    page.fetches()();
    assert.equal(page.banner.hidden, true);
    await page.time.pass(fine);
    assert.equal(page.banner.hidden, true);
  });
}

test("a part that is sent counts as one that came", async () => {
  const page = await opened("every 30s");
  await page.time.pass(38);
  assert.equal(page.banner.hidden, false);
  page.sends();
  assert.equal(page.banner.hidden, true);
  await page.time.pass(36);
  assert.equal(page.banner.hidden, true);
});

test("a fetch that began before a part was sent changes nothing, and one that began since does", async () => {
  const page = await opened("every 30s");
  const older = page.fetches();
  await page.time.pass(1);
  page.sends();
  assert.equal(older(), false);
  await page.time.pass(1);
  assert.equal(page.fetches()(), true);
});
