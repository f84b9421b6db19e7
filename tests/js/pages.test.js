import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load, Time } from "./page.js";

const GAP = 8;
const TROUBLE = ".widget:is([data-state='stale'], [data-trouble])";

/** A wall of `height` pixels with tiles of rows [from, to); rows are as high as there is room, or as the page says. */
class Grid extends Element {
  scrolled = [];

  constructor(height, tiles) {
    super();
    this.clientHeight = height;
    this.count = Math.max(...tiles.map(([, to]) => to));
    const grid = this;
    this.children = tiles.map(([from, to]) => ({
      get offsetTop() { return from * grid.step; },
      get offsetHeight() { return (to - from) * grid.step - GAP; },
    }));
    this.firstElementChild = this.children[0];
  }

  texts = [];

  querySelectorAll(selector) { return selector === ".prose" ? this.texts : []; } // of links, these tiles have none

  get step() {
    return this.style.gridAutoRows ? parseFloat(this.style.gridAutoRows) + GAP : (this.clientHeight + GAP) / this.count;
  }

  scrollTo(where) { this.scrolled.push(Math.round(where.top / this.step)); }
}

async function wall(height, tiles, trouble = [], texts = []) {
  const time = new Time();
  const grid = new Grid(height, tiles);
  grid.texts = texts;
  const button = new Element();
  const page = new Document({ widgets: grid, pages: button }, { [TROUBLE]: trouble.map((number) => grid.children[number]) });
  let lay;
  globals({
    matchMedia: () => ({ matches: true }),
    getComputedStyle: (of) =>
      of === grid
        ? { rowGap: `${GAP}px`, paddingTop: "0px", paddingBottom: "0px", gridTemplateRows: "x ".repeat(grid.count).trim() }
        : { fontSize: "16px", lineHeight: "20px", paddingBottom: "0px" },
    ResizeObserver: class {
      constructor(run) { lay = run; }
      observe() { lay(); }
    },
  });
  const { setServerTime } = await import("../../static/js/clock.js");
  setServerTime(0);
  await load("pages.js");
  return { time, grid, button, page, resize: (to) => { grid.clientHeight = to; lay(); } };
}

const rows = (count) => Array.from({ length: count }, (_, row) => [row, row + 1]);

test("rows that fit have no pages", async () => {
  const { button, grid } = await wall(5 * 80 - GAP, rows(5));
  assert.equal(button.hidden, true);
  assert.deepEqual(grid.scrolled, []);
});

test("rows that do not fit are turned every 15 s by the server's time", async () => {
  const { button, grid, time } = await wall(5 * 80 - GAP, rows(10));
  const seen = [button.textContent];
  for (const _ of [1, 2]) {
    await time.pass(15);
    seen.push(button.textContent);
  }
  assert.equal(button.hidden, false);
  assert.deepEqual(seen, ["Page 1 of 2", "Page 2 of 2", "Page 1 of 2"]);
  assert.deepEqual(grid.scrolled, [0, 5, 0]);
});

test("pages are even, and their rows as high as they can be", async () => {
  const { button, grid } = await wall(5 * 80 - GAP, rows(6));
  assert.equal(button.textContent, "Page 1 of 2");
  assert.equal(Math.round(grid.step), Math.round((5 * 80) / 3));
});

test("no page cuts a tile, however high", async () => {
  const { button, grid, time } = await wall(4 * 80 - GAP, [[0, 3], [3, 5], [5, 8]]);
  await time.pass(15);
  await time.pass(15);
  assert.equal(button.textContent, "Page 3 of 3");
  assert.deepEqual(grid.scrolled, [0, 3, 5]);
});

test("trouble on another page is told, that on this one is seen", async () => {
  const { button, time } = await wall(5 * 80 - GAP, rows(10), [7]);
  assert.equal(button.textContent, "Page 1 of 2 · trouble on 2");
  assert.deepEqual([...button.classes], ["trouble"]);
  await time.pass(15);
  assert.equal(button.textContent, "Page 2 of 2");
  assert.deepEqual([...button.classes], []);
});

test("a page that somebody turned to stays for a minute", async () => {
  const { button, time } = await wall(5 * 80 - GAP, rows(10));
  button.happens("click");
  assert.equal(button.textContent, "Page 2 of 2");
  await time.pass(50);
  assert.equal(button.textContent, "Page 2 of 2");
  await time.pass(15); // 65 s: the fifth turn
  assert.equal(button.textContent, "Page 1 of 2");
});

test("a page that somebody touches stays, and hides nothing", async () => {
  const { button, grid, page, time } = await wall(4 * 80 - GAP, [[0, 3], [3, 5], [5, 8]]);
  button.happens("click");
  assert.notEqual(grid.style.clipPath, ""); // it has fewer rows than there is room for
  page.window.happens("wheel");
  assert.equal(grid.style.clipPath, "");
  await time.pass(45);
  assert.equal(button.textContent, "Page 2 of 3");
});

test("pages follow the size of the window", async () => {
  const { button, grid, resize } = await wall(5 * 80 - GAP, rows(10));
  resize(10 * 80 - GAP);
  assert.equal(button.hidden, true);
  assert.equal(grid.style.gridAutoRows, "");
});

/** A text in a tile with room for 100 pixels of it. */
class Text extends Element {
  clientHeight = 100;
  parentElement = new Element();

  constructor(height) {
    super();
    this.scrollHeight = height;
  }

  scrollTo({ top }) { this.top = top; }
}

test("a text that is longer than its tile is turned, and says which part it is", async () => {
  const [long, short] = [new Text(180), new Text(100)];
  const { time } = await wall(5 * 80 - GAP, rows(5), [], [long, short]);
  const seen = [[long.parentElement.dataset.page, long.top]];
  for (const _ of [1, 2, 3]) {
    await time.pass(15);
    seen.push([long.parentElement.dataset.page, long.top]);
  }
  assert.deepEqual(seen, [["1 of 3", 0], ["2 of 3", 60], ["3 of 3", 120], ["1 of 3", 0]]);
  assert.deepEqual(short.parentElement.dataset, {});
});

test("a text is turned once while all pages of a wall are shown", async () => {
  const long = new Text(120);
  const { button, time } = await wall(5 * 80 - GAP, rows(10), [], [long]);
  const seen = [];
  for (const _ of [1, 2, 3, 4]) {
    seen.push(`${button.textContent}, ${long.parentElement.dataset.page}`);
    await time.pass(15);
  }
  assert.deepEqual(seen, ["Page 1 of 2, 1 of 2", "Page 2 of 2, 1 of 2", "Page 1 of 2, 2 of 2", "Page 2 of 2, 2 of 2"]);
});
