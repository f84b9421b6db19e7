// A wall with more rows than fit at a height that can be read turns its pages by itself. Which page it is follows from
// the server's time, so nothing is counted, and walls side by side turn together. So does a text longer than its tile.

import { now } from "./clock.js";

const LEAST_REM = 4.5;
const LEAST_PX = 72;
const TURN_S = 15;
const STAY_MS = 60_000; // after somebody touched something
const TROUBLE = ".widget:is([data-state='stale'], [data-trouble])";

const grid = document.getElementById("widgets");
const button = document.getElementById("pages");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let pages = []; // {from, to, top}: rows, and where to scroll to
let step = 0; // a row and the gap below it, in pixels
let page = -1;
let stayUntil = 0;
let laid = "";

/** Nobody is at a wall to follow links: the keyboard does not stop at them. A swap brings them anew. */
function passLinks() {
  for (const link of grid.querySelectorAll(":is(h2, th, .image) > a, a.name, a.on-series")) link.tabIndex = -1;
}
passLinks();
document.addEventListener("htmx:after:swap", passLinks);

const isSection = (tile) => /\bwidget-section\b/.test(tile.className);

/** The rows of a tile: from the first, to the one behind its last. */
function rows(tile) {
  const first = [...grid.children].find((one) => !isSection(one));
  const from = Math.round((tile.offsetTop - first.offsetTop) / step);
  return { from, to: from + Math.max(1, Math.round((tile.offsetHeight + 1) / step)) };
}

/** Cut `count` rows into pages of at most `most`, where no tile lies across. */
function cut(count, most, tiles) {
  const found = [];
  for (let from = 0, to; from < count; from = to) {
    to = Math.min(from + most, count);
    while (to > from && tiles.some((tile) => tile.from < to && tile.to > to)) to -= 1;
    if (to === from) to = Math.min(from + most, count);
    found.push({ from, to, top: Math.min(from, count - most) });
  }
  return found;
}

function lay() {
  grid.style.gridAutoRows = grid.style.clipPath = "";
  grid.classList.toggle("paged", false);
  const sections = [...grid.children].filter(isSection);
  const thin = sections.length && getComputedStyle(sections[0]).display !== "none" ? 2 : 1; // a thin row above each
  if (thin === 2) grid.classList.toggle("paged", true); // rows are measured without headings, which make some higher
  pages = [];
  page = -1;
  laid = places();
  const style = getComputedStyle(grid);
  const gap = parseFloat(style.rowGap) || 0;
  const count = Math.ceil(style.gridTemplateRows.split(" ").length / thin);
  const room = grid.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom) + gap;
  const least = Math.max(LEAST_PX, LEAST_REM * parseFloat(getComputedStyle(document.documentElement).fontSize)) + gap;
  const tiles = [...grid.children].filter((tile) => !isSection(tile));
  step = room / count;
  const tallest = Math.max(1, ...tiles.map((tile) => rows(tile).to - rows(tile).from));
  const most = Math.max(tallest, Math.floor(room / least));
  if (count > most) {
    // As many rows to a page as make the fewest pages, and of those as high as they can be.
    const places = tiles.map(rows);
    const fewest = cut(count, most, places).length;
    let each = Math.max(tallest, Math.ceil(count / fewest));
    while (each < most && cut(count, each, places).length > fewest) each += 1;
    pages = cut(count, each, places);
    step = room / each;
    grid.style.gridAutoRows = thin === 2 ? `0 ${step}px` : `${step - gap}px`;
  }
  if (!pages.length) grid.classList.toggle("paged", false);
  button.hidden = !pages.length;
  turn();
}

/** Where the tiles stand, which somebody may publish anew. */
const places = () => [...grid.children].map((tile) => tile.className).join();

function turn() {
  if (places() !== laid) lay();
  turnTexts();
  if (!pages.length) return;
  const staying = performance.now() < stayUntil;
  if (!staying || page < 0) show(Math.floor(now() / TURN_S) % pages.length);
  const trouble = pages.map(() => false);
  for (const tile of document.querySelectorAll(TROUBLE)) {
    const { from } = rows(tile);
    trouble[pages.findIndex((one) => from < one.to)] = true;
  }
  const others = pages.map((_, index) => index + 1).filter((number) => number !== page + 1 && trouble[number - 1]);
  const text = `Page ${page + 1} of ${pages.length}${others.length ? ` · trouble on ${others.join(", ")}` : ""}`;
  if (button.textContent !== text) button.textContent = text;
  button.classList.toggle("trouble", others.length > 0);
}

/** Turn texts that are longer than their tiles: a part each time that the wall begins anew, two lines of it twice. */
function turnTexts() {
  if (performance.now() < stayUntil) return;
  for (const text of grid.querySelectorAll(".prose")) {
    const { lineHeight, paddingBottom } = getComputedStyle(text);
    const each = text.clientHeight - 2 * parseFloat(lineHeight);
    const height = text.scrollHeight - parseFloat(paddingBottom);
    const parts = height > text.clientHeight + 1 && each > 0 ? Math.ceil(height / each) : 1;
    const part = Math.floor(now() / TURN_S / Math.max(1, pages.length)) % parts;
    if (parts > 1) text.parentElement.dataset.page = `${part + 1} of ${parts}`;
    else delete text.parentElement.dataset.page;
    text.scrollTo({ top: part * each, behavior: still.matches ? "instant" : "smooth" });
  }
}

function show(number) {
  if (number === page) return;
  page = number;
  const { from, to, top } = pages[page];
  grid.scrollTo({ top: top * step, behavior: still.matches ? "instant" : "smooth" });
  const each = Math.round((grid.clientHeight + 1) / step);
  grid.style.clipPath = to - top < each ? `inset(${(from - top) * step}px 0 ${(top + each - to) * step}px)` : "";
}

// Somebody is there: the page stays, and scrolls by hand.
function stay() {
  stayUntil = performance.now() + STAY_MS;
  grid.style.clipPath = "";
}

for (const event of ["wheel", "touchstart", "keydown"]) addEventListener(event, stay, { passive: true });
button.addEventListener("click", () => {
  stayUntil = performance.now() + STAY_MS;
  show((page + 1) % pages.length);
  turn();
});
new ResizeObserver(lay).observe(grid);
setInterval(turn, 1000);
