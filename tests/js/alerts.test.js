import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

/** A page that was just loaded, with a `pulse` if it is a dashboard; `fetches` are the moments at which parts are fetched. */
async function opened({ pulse, told = { alerts: "3", critical: "0" } } = {}) {
  const time = new Time();
  const badge = new Element({ word: "bad" });
  const ids = { ...(pulse ? { pulse: new Element(pulse) } : {}), "alerts-changed": new Element(told) };
  const page = new Document(ids, { "[data-down='alerts']": [badge] });
  const made = { time, ids, badge, fetches: [] };
  page.dispatchEvent = ({ type }) => type === "alerts" && made.fetches.push(time.ms);
  const heard = [];
  globals({ Event: class { constructor(type) { this.type = type; } }, MutationObserver: class { constructor(run) { heard.push(run); } observe() {} } });
  Math.random = () => 0.4;
  const script = await load("alerts.js");
  /** Have an element of this id say something else. */
  made.says = (id, dataset) => {
    Object.assign(ids[id].dataset, dataset);
    heard[0]();
  };
  return Object.assign(made, { critical: script.critical });
}

test("a change is fetched soon, not by all pages at once, and others at most once a second", async () => {
  const page = await opened();
  const began = page.time.ms;
  page.says("alerts-changed", { alerts: "4", bad: "2", critical: "1" });
  assert.equal(page.badge.textContent, "2 bad");
  await page.time.pass(0.2);
  for (const alerts of ["5", "6", "7"]) page.says("alerts-changed", { alerts });
  await page.time.pass(3);
  assert.deepEqual(page.fetches.map((ms) => ms - began), [100, 1100]);
  assert.equal(page.critical(), 1);
});

test("the same number again is no change", async () => {
  const page = await opened();
  page.says("alerts-changed", { alerts: "3" });
  await page.time.pass(3);
  assert.deepEqual(page.fetches, []);
});

test("a pulse of a process that does not know it yet changes nothing", async () => {
  const page = await opened({ pulse: { alerts: "3", criticalDown: "2" } });
  assert.equal(page.critical(), 2);
  delete page.ids.pulse.dataset.criticalDown;
  page.says("pulse", { alerts: undefined });
  await page.time.pass(3);
  assert.deepEqual([page.critical(), page.fetches], [2, []]);
  page.says("pulse", { alerts: "4" });
  await page.time.pass(3);
  assert.deepEqual([page.critical(), page.fetches.length], [0, 1]);
});
