import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.js";

test("a path is read back into the points it was made of", async () => {
  const { polylines } = await load("chart.js");
  assert.deepEqual(polylines("M4 200l8-3 9 1M50 7l992 0"), [[[4, 200], [12, 197], [21, 198]], [[50, 7], [1042, 7]]]);
  assert.deepEqual(polylines("M4 9h.1M8 7h.1"), [[[4, 9]], [[8, 7]]]);
});

test("a band is an upper and a lower edge, both from left to right", async () => {
  const { polylines } = await load("chart.js");
  assert.deepEqual(polylines("M0 10l10-5 10 5 0 4-20 0z"), [[[0, 10], [10, 5], [20, 10]], [[0, 14], [20, 14]]]);
});

test("a value is that of the nearest point, and there is none in a gap", async () => {
  const { valueAt } = await load("chart.js");
  const lines = [[[0, 10], [10, 20], [40, 20]], [[100, 5]]];
  const found = [0, 4, 6, 25, 41, 60, 99, 100, 103].map((x) => valueAt(lines, x, 2));
  assert.deepEqual(found, [10, 10, 20, 20, 20, null, 5, 5, null]);
});

test("values are written as widgets write them", async () => {
  const { digits } = await load("chart.js");
  const written = [[0, 1], [-12.34, 1], [-0.01, 1], [1234567.4, 0], [3.1e-7, 9], [-3e17, 0]].map((one) => digits(...one));
  assert.deepEqual(written, ["0.0", "\u221212.3", "0.0", "1\u202f234\u202f567", "3.1\u00d710\u207b\u2077", "\u22123\u00d710\u00b9\u2077"]);
});
