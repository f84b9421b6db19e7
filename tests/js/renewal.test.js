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
  return { time, banner, swapped: () => page.happens("htmx:after:swap", { detail: { ctx: { target: part } } }) };
}

for (const [trigger, fine, late] of [["every 3s", 12, 2], ["every 10s, wake", 12, 2], ["every 30s", 36, 2]]) {
  test(`a part that comes ${trigger} is missed after ${fine} s, and no more once it comes`, async () => {
    const page = await opened(trigger);
    await page.time.pass(fine);
    assert.equal(page.banner.hidden, true);
    await page.time.pass(late);
    assert.equal(page.banner.hidden, false);
    assert.equal(page.banner.children[0].textContent, "The server does not answer.");
    page.swapped();
    assert.equal(page.banner.hidden, true);
    await page.time.pass(fine);
    assert.equal(page.banner.hidden, true);
  });
}
