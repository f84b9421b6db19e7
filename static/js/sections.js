// Sections of a dashboard: their headings fold the widgets below them, and the rows of those collapse.
// A browser remembers what somebody folded. The rules stand in a stylesheet of their own, where no swap undoes them.

const ROW = "11.25rem"; // with its gap, as in grid.css
const grid = document.getElementById("widgets");
const PHONE = matchMedia("screen and (max-width: 700px)"); // one column, in an order of its own, as in grid.css
const KEPT = `folded ${location.pathname}`;
const sheet = new CSSStyleSheet();
let laid = "";
let written = "";

const places = () => [...grid.children].map((tile) => tile.className).join();
const number = (tile, name) => Number(new RegExp(`\\b${name}-(\\d+)`).exec(tile.className)?.[1] ?? 0);
const isSection = (tile) => tile.matches(".widget-section");
const fold = (section) => section.querySelector("[data-fold]");
const isFolded = (section) => kept()[section.id] ?? fold(section)?.hasAttribute("data-folded");

/** Below zero if `one` stands before `other`; a section and what is in its first row are at the same place. */
function compare(one, other) {
  const names = PHONE.matches ? ["po", "y", "x"] : ["y"];
  return names.map((name) => number(one, name) - number(other, name)).find(Boolean) ?? 0;
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // no storage, or not what we put there
  }
}

function lay() {
  laid = places();
  const tiles = [...grid.querySelectorAll(":scope > .widget")];
  const isShown = (section) => !(PHONE.matches && section.matches(".phone-hidden")); // nobody could unfold one that is not
  const sections = tiles.filter(isSection).filter(isShown).sort(compare);
  const of = (tile) => sections.findLast((section) => compare(section, tile) <= 0);
  const folded = new Set(sections.filter(isFolded));
  const rules = [];
  const open = new Set(); // rows that something is in
  let rows = 0;
  for (const tile of tiles.filter((one) => !isSection(one))) {
    const [y, h] = [number(tile, "y"), number(tile, "h")];
    rows = Math.max(rows, y + h);
    if (folded.has(of(tile))) rules.push(`#${CSS.escape(tile.id)} { display: none; }`);
    else for (let row = y; row < y + h; row += 1) open.add(row);
  }
  for (const section of sections) fold(section)?.setAttribute("aria-expanded", String(!folded.has(section)));
  const heights = Array.from({ length: rows }, (_, row) => `auto ${open.has(row) || !sections.length ? ROW : "0"}`);
  rules.push(`@media (min-width: 1101px) { .tab #widgets:has(> .widget-section) { grid-template-rows: ${heights.join(" ")}; } }`);
  const text = rules.join("\n");
  if (text !== written) sheet.replaceSync(text);
  written = text;
}

grid.addEventListener("click", (event) => {
  const section = event.target.closest("[data-fold]")?.closest(".widget-section");
  if (!section) return;
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [section.id]: !isFolded(section) }));
  } catch {
    return; // a browser that keeps nothing folds nothing
  }
  lay();
});

document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
document.body.classList.add("folds");
lay();
PHONE.addEventListener("change", lay);
document.addEventListener("htmx:after:swap", () => grid.querySelector("[data-fold]") && lay());
setInterval(() => places() !== laid && lay(), 1000); // somebody may have published it anew
