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

test("only an end of the axis is read as one", async () => {
  const { scale } = await load("chart.js");
  const axis = scale("0", "100", "1", "1", "%");
  assert.deepEqual([0, 1, 2, 200, 398, 399, 400].map(axis.number), ["100.0", ">\u202f99.6", "99.5", "50.0", "0.5", "<\u202f0.4", "0.0"]);
  const cut = scale("0", "100", "1", "1", "%", undefined, "");
  assert.deepEqual([0, 400].map(cut.number), ["\u2265\u202f100.0", "\u2264\u202f0.0"]);
  const log = scale("1", "1000", "1", "0", "", "");
  assert.deepEqual([0, 1, 400].map(log.number), ["1\u202f000", ">\u202f974", "1.00"]);
});

test("a layer of a stack that is too thin to be drawn is not read as nothing", async () => {
  const { scale } = await load("chart.js");
  const axis = scale("0", "100", "1", "1", "%");
  assert.deepEqual([[400, 400], [200, 200], [100, 200]].map((one) => axis.difference(...one)), ["0.0", "<\u202f0.3", "25.0"]);
});

test("values are written as widgets write them", async () => {
  const { digits } = await load("chart.js");
  const written = [[0, 1], [-12.34, 1], [-0.01, 1], [1234567.4, 0], [3.1e-7, 9], [-3e17, 0]].map((one) => digits(...one));
  assert.deepEqual(written, ["0.0", "\u221212.3", "0.0", "1\u202f234\u202f567", "3.1\u00d710\u207b\u2077", "\u22123\u00d710\u00b9\u2077"]);
});
