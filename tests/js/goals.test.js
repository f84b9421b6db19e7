import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load } from "./page.js";

/** A rehearsal with one line of the field condition-above, on a chart from 0 to 100 that is 200 pixels high. */
async function page(value) {
  const place = new Element();
  const field = new Element();
  Object.assign(field, { value, changes: 0, dispatchEvent() { this.changes += 1; } });
  const plot = new Element({ low: "0", high: "100" });
  plot.getBoundingClientRect = () => ({ left: 20, top: 50, width: 300, height: 200 });
  const handle = new Element({ field: "condition-above" }, { output: new Element() });
  Object.assign(handle, {
    hidden: true,
    attributes: {},
    setAttribute(name, to) { this.attributes[name] = to; },
    closest: (selector) => (selector === "[data-field]" ? handle : { querySelector: () => plot }),
    focus() {},
    setPointerCapture() {},
    removeEventListener() {},
    parentElement: { getBoundingClientRect: () => ({ left: 0, top: 0 }) },
  });
  place.querySelectorAll = () => [handle];
  const document = new Document({ rehearsal: place });
  document.querySelector = () => field;
  class Observer { observe() {} }
  globals({
    CSS: { escape: (text) => text },
    MutationObserver: Observer,
    ResizeObserver: Observer,
    Event: class { constructor(type) { this.type = type; } },
  });
  const module = await load("goals.js");
  const press = (key) => place.happens("keydown", { key, target: handle, preventDefault() {} });
  return { ...module, place, field, handle, press };
}

test("a line stands at the height of its value", async () => {
  const { handle } = await page("75");
  assert.deepEqual([handle.hidden, handle.style.top, handle.style.left, handle.style.width], [false, "100px", "20px", "300px"]);
  assert.deepEqual([handle.attributes["aria-valuenow"], handle.attributes["aria-valuemax"]], [75, 100]);
});

test("what lies outside of the axis stands at its end", async () => {
  const { shareOf, valueAt } = await page("900");
  assert.deepEqual([shareOf(900, 0, 100), shareOf(-5, 0, 100), shareOf(5, 5, 5)], [0, 1, 0]);
  assert.deepEqual([valueAt(-1, 0, 100), valueAt(2, 0, 100), valueAt(0.25, 0, 100)], [100, 0, 75]);
});

test("values have the digits that an axis tells apart", async () => {
  const { rounded } = await page("1");
  assert.deepEqual([rounded(12.3456, 0, 100), rounded(0.123456, 0, 1), rounded(1234.5, 0, 9000)], [12, 0.12, 1235]);
});

test("keys move a line, and have it rehearsed anew", async () => {
  const { field, press } = await page("50");
  for (const [key, expected] of [["ArrowUp", 51], ["PageUp", 61], ["ArrowDown", 60], ["End", 100], ["Home", 0]]) {
    press(key);
    assert.equal(field.value, expected, key);
  }
  press("Tab");
  assert.equal(field.changes, 5);
});

test("a line that is dragged is rehearsed once it is let go", async () => {
  const { place, field, handle } = await page("50");
  place.happens("pointerdown", { target: handle, button: 0, pointerId: 1, preventDefault() {} });
  handle.happens("pointermove", { clientY: 100 });
  handle.happens("pointermove", { clientY: 90 });
  assert.deepEqual([field.value, field.changes], [80, 0]);
  handle.happens("pointerup", {});
  assert.deepEqual([field.value, field.changes], [80, 1]);
});
