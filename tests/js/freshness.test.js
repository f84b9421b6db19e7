import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Document, Element, Time } from "./page.js";

const NOON = 1_795_176_000;
const page = new Document();
new Time();
const { setServerTime } = await import("../../static/js/clock.js");
const { tickFreshness } = await import("../../static/js/freshness.js");

let time;
beforeEach(() => {
  time = new Time();
  setServerTime(NOON);
});

/** A widget whose newest sample is `ageS` old, late after 10 s and stale after 30 s. */
function widget(ageS) {
  const at = NOON - ageS;
  const label = new Element();
  const made = new Element({ state: "", at, lateAt: at + 10, staleAt: at + 30 }, { "[data-freshness]": label });
  page.lists = { '[data-state]:not([data-state="still"])': [made] };
  return { made, label, shows: () => [made.dataset.state, label.textContent] };
}

for (const [ageS, state, words] of [
  [0.5, "fresh", "now"],
  [-3, "fresh", "now"],
  [9, "fresh", "9 s ago"],
  [10, "late", "late · 10 s"],
  [29, "late", "late · 29 s"],
  [30, "stale", "stale · 30 s"],
  [7200, "stale", "stale · 2 h"],
]) {
  test(`a sample that is ${ageS} s old is ${state}`, () => {
    const { shows } = widget(ageS);
    tickFreshness();
    assert.deepEqual(shows(), [state, words]);
  });
}

test("without a sample there is no data", () => {
  const { made, shows } = widget(0);
  made.dataset.at = "";
  tickFreshness();
  assert.deepEqual(shows(), ["nodata", "no data"]);
});

test("it grows older by itself, and nothing is written that did not change", async () => {
  const { label, shows } = widget(0);
  tickFreshness();
  for (const expected of [["fresh", "9 s ago"], ["late", "late · 18 s"], ["late", "late · 27 s"], ["stale", "stale · 36 s"]]) {
    await time.pass(9);
    tickFreshness();
    assert.deepEqual(shows(), expected);
  }
  const { writes } = label;
  tickFreshness();
  assert.equal(label.writes, writes);
});

test("it does not become young when the server's clock is set back", async () => {
  const { shows } = widget(5);
  tickFreshness();
  await time.pass(10);
  setServerTime(NOON - 3600);
  tickFreshness();
  assert.deepEqual(shows(), ["late", "late · 15 s"]);
});

test("a newer sample begins anew", async () => {
  const { made, shows } = widget(5);
  tickFreshness();
  await time.pass(60);
  Object.assign(made.dataset, { at: NOON + 59, lateAt: NOON + 69, staleAt: NOON + 89 });
  tickFreshness();
  assert.deepEqual(shows(), ["fresh", "1 s ago"]);
});

test("an element without words is given a state alone", () => {
  const { made } = widget(12);
  made.parts = {};
  tickFreshness();
  assert.equal(made.dataset.state, "late");
});
