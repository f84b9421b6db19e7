import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.js";

const tile = (key, x, y, w = 3, h = 1, more = {}) => ({ key, x, y, w, h, ...more });
const where = ({ places, problem }) => problem ?? Object.fromEntries(places.map(({ key, x, y, w, h }) => [key, [x, y, w, h].join()]));
const STAIRS = [tile("a", 1, 0), tile("b", 4, 1, 4, 2), tile("c", 2, 3, 2)];
const ROW = [tile("a", 0, 0, 2), tile("b", 2, 0, 4), tile("c", 8, 0, 3)];

for (const [name, way, keys, all, wanted] of [
  ["left", "left", "abc", STAIRS, { a: "1,0,3,1", b: "1,1,4,2", c: "1,3,2,1" }],
  ["right", "right", "abc", STAIRS, { a: "5,0,3,1", b: "4,1,4,2", c: "6,3,2,1" }],
  ["top", "top", "ab", STAIRS, { a: "1,0,3,1", b: "4,0,4,2", c: "2,3,2,1" }],
  ["bottom", "bottom", "ab", STAIRS, { a: "1,2,3,1", b: "4,1,4,2", c: "2,3,2,1" }],
  ["same width makes room beside", "width", "ab", ROW, { a: "0,0,2,1", b: "2,0,2,1", c: "8,0,3,1" }],
  ["as wide as the first that was selected", "width", "cab", ROW, { a: "0,0,3,1", b: "3,0,3,1", c: "8,0,3,1" }],
  ["too wide goes back to the left", "width", "ba", [tile("a", 9, 1, 2), tile("b", 0, 0, 6)], { a: "6,1,6,1", b: "0,0,6,1" }],
  ["same height moves those below down", "height", "ba", [tile("a", 0, 0), tile("b", 3, 0, 3, 2), tile("c", 0, 1)], { a: "0,0,3,2", b: "3,0,3,2", c: "0,2,3,1" }],
  ["a size that is fixed stays", "height", "ab", [tile("a", 0, 0, 12, 1, { fixed: true }), tile("b", 0, 1, 3, 2)], { a: "0,0,12,1", b: "0,1,3,2" }],
  ["equal gaps across", "across", "abc", ROW, { a: "0,0,2,1", b: "3,0,4,1", c: "8,0,3,1" }],
  ["equal gaps down", "down", "abc", [tile("a", 0, 0), tile("b", 0, 1), tile("c", 0, 6)], { a: "0,0,3,1", b: "0,3,3,1", c: "0,6,3,1" }],
  ["two have no gap between them", "across", "ab", ROW, "This takes 3 tiles; 2 are selected."],
  ["one upon the other", "left", "ab", ROW, "They would cover each other."],
  ["wider than the page together", "width", "ab", [tile("a", 0, 0, 7), tile("b", 7, 0, 5)], "They would cover each other."],
  ["below the last row", "height", "ab", [tile("a", 0, 0, 3, 4), tile("b", 3, 158)], "There is no room for them."],
  ["others in the way go down, and push", "right", "ab", [tile("a", 0, 0), tile("b", 6, 1), tile("c", 6, 0), tile("d", 6, 2)], { a: "6,0,3,1", b: "6,1,3,1", c: "6,2,3,1", d: "6,3,3,1" }],
  ["no room below", "left", "ab", [tile("a", 3, 159), tile("b", 0, 0), tile("c", 0, 159)], "There is no room for the others below them."],
]) {
  test(`tiles are aligned: ${name}`, async () => {
    const { align } = await load("edit/align.js");
    assert.deepEqual(where(align(way, [...keys], all)), wanted);
  });
}

test("the nearest tile in a direction is found, and none where there is none", async () => {
  const { nearest } = await load("edit/align.js");
  const all = [tile("a", 0, 0), tile("b", 3, 0), tile("c", 0, 1), tile("d", 9, 1)];
  const found = [[1, 0], [0, 1], [-1, 0]].map((way) => nearest(all[0], way, all)?.key);
  assert.deepEqual(found, ["b", "c", undefined]);
});
