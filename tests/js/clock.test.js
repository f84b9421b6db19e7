import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, load, Time } from "./page.js";

const NOON = 1_795_176_000; // 2026-11-20 12:00 UTC

test("server time goes on with the monotonic clock, whatever the machine's own clock says", async () => {
  const time = new Time();
  new Document();
  const { now, setServerTime } = await load("clock.js");
  setServerTime(NOON);
  time.wallMs = 0;
  await time.pass(90.5);
  assert.equal(now(), NOON + 90.5);
  setServerTime(NOON - 3600);
  assert.equal(now(), NOON - 3600);
});

test("an age is told in the words of a person", async () => {
  const { age } = await load("clock.js");
  const told = [-5, 0, 4.9, 99, 100, 5999, 6000, 172_799, 172_800, 900_000].map(age);
  assert.deepEqual(told, ["0 s", "0 s", "4 s", "99 s", "1 min", "99 min", "1 h", "47 h", "2 d", "10 d"]);
});

test("times of day are in the server's time zone", async () => {
  new Document();
  const { timeOfDay, zone } = await load("clock.js");
  assert.deepEqual([zone, timeOfDay(NOON), timeOfDay(NOON + 7, true)], ["Europe/Zurich", "13:00", "13:00:07"]);
});

test("clocks and countdowns of a page go by the server's time, each in its zone", async () => {
  new Time();
  const [ours, tokyo, unknown] = [{}, { inZone: "Asia/Tokyo", seconds: "" }, { inZone: "Mars/Olympus" }].map((data) => new Element(data));
  const [soon, over] = [NOON + 61, NOON].map((until) => new Element({ until, reached: "Now" }));
  unknown.textContent = "as it came";
  const day = new Element();
  for (const one of [tokyo, unknown]) one.parentElement = new Element({}, { "[data-day]": day });
  new Document({}, { "[data-clock]:not(.drawing *)": [ours, unknown, tokyo], "[data-until]:not(.drawing *)": [soon, over] });
  const { setServerTime, tickClocks } = await load("clock.js");
  setServerTime(NOON);
  tickClocks();
  const shown = [ours, tokyo, unknown, soon, over].map((one) => one.textContent);
  assert.deepEqual(shown, ["13:00", "21:00:00", "as it came", "1 min 1 s", "Now"]);
  assert.equal(day.textContent, "Fri 20 Nov · UTC+09:00");
  tickClocks();
  assert.equal(tokyo.writes, 1);
});

test("what is left is told in its two largest units", async () => {
  const { left } = await load("clock.js");
  const told = [273_659, 86_399, 3600, 61, 59.9, 0.9, 0, -5].map(left);
  assert.deepEqual(told, ["3 d 4 h", "23 h 59 min", "1 h 0 min", "1 min 1 s", "59 s", "", "", ""]);
});

for (const unknown of ["Mars/Olympus", ""]) {
  test(`a browser that does not know the zone '${unknown}' takes its own`, async () => {
    new Document().documentElement.dataset.timeZone = unknown;
    assert.equal((await load("clock.js")).zone, Intl.DateTimeFormat().resolvedOptions().timeZone);
  });
}
