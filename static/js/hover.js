// Reads charts: a line at one moment on every chart of the page, with the values there, by pointer, touch and arrow keys.
// Values are read off the paths, so that nothing is sent for it; what is drawn lies beside the widgets, which may be
// swapped under it.

import { timeOfDay } from "./clock.js";
import { dayOf, HEIGHT, polylines, scale, valueAt } from "./chart.js";
import { GONE_AFTER_MS, make, makeLayer, SPARE, within } from "./hover-box.js";
import "./touched.js";

const CHARTS = ".widget .chart:has(> .plot)"; // a heatmap has no curves to read

const WIDTH = 1000; // of the SVG's box
const NEAR = 6; // pixels between the crosshair and an annotation that it reads

const isWall = document.body.classList.contains("wall");
const parsed = new WeakMap(); // path -> its polylines, for as long as it stays the same
let layer = null;
let said = null;
let at = null; // { widget, x } with a pointer, or { widget, time } with keys; null while nobody reads
let waiting = 0;
let timer = 0;

function lines(path) {
  if (!path) return [];
  const d = path.getAttribute("d");
  const known = parsed.get(path);
  if (known?.d === d) return known.found;
  const found = polylines(d);
  parsed.set(path, { d, found });
  return found;
}

/** A chart of the page as what is needed to read it; null if it shows nothing. */
function read(chart) {
  const plot = chart.querySelector(".plot");
  const { start, end, step } = plot.dataset;
  const curves = [...chart.parentElement.querySelectorAll(".legend > li[data-series]")].map((item) => {
    const paths = (name) => lines(plot.querySelector(`path.${name}.series-${item.dataset.series}`));
    return { item, curve: [...paths("line-curve"), ...paths("dots")], band: paths("band"), isStacked: paths("under").length > 0, isRight: "right" in item.dataset };
  });
  const [first, last] = [start, end].map(Number);
  const span = { chart, plot, start: first, end: last, step: Number(step), tolerance: (0.75 * WIDTH * step) / (last - first), curves };
  const data = plot.dataset;
  span.left = scale(data.low, data.high, data.divisor, data.decimals, data.unit, data.log, data.cut);
  span.right = scale(data.rightLow, data.rightHigh, data.rightDivisor, data.rightDecimals, data.rightUnit, data.rightLog, data.rightCut);
  return span;
}

/** The annotations of a chart: where each begins and ends in the box, and its text. */
function marks(plot) {
  return [...plot.querySelectorAll(".noted > g")].map((one) => {
    const share = (element, name) => (parseFloat(element.getAttribute(name)) / 100) * WIDTH;
    const left = share(one.querySelector("line"), "x1");
    const band = one.querySelector("rect");
    return { left, right: band ? left + share(band, "width") : left, text: one.dataset.text };
  });
}

/** The texts of the annotations at `x`: a finger need not meet the very step. */
const notes = (span, x) => {
  const near = Math.max(span.tolerance, (NEAR * WIDTH) / span.plot.getBoundingClientRect().width);
  return marks(span.plot).filter(({ left, right }) => x >= left - near && x <= right + near).map(({ text }) => text);
};

/** The middle of the step in which `time` lies. */
const middle = (span, time) => {
  const last = Math.round((span.end - span.start) / span.step) - 1;
  const number = Math.min(last, Math.max(0, Math.floor((time - span.start) / span.step)));
  return span.start + (number + 0.5) * span.step;
};

/** What each series is at `x`: its `text`, and the `range` of its band there. */
function rows(span, x) {
  let below = HEIGHT;
  return span.curves.map(({ item, curve, band, isStacked, isRight }) => {
    const on = isRight ? span.right : span.left;
    const y = valueAt(curve, x, span.tolerance);
    const name = item.querySelector(".name").textContent;
    const row = { name, series: item.dataset.series, y, text: "\u2013", range: "" };
    if (y === null) return row;
    if (isStacked) {
      row.text = on.difference(y, below) + on.unit;
      below = y;
      return row;
    }
    row.text = on.number(y) + on.unit;
    const [upper, lower] = [0, 1].map((edge) => valueAt(band.filter((_, place) => place % 2 === edge), x, 0));
    if (upper !== null && lower !== null && lower - upper > 1) row.range = `${on.number(lower)} to ${on.number(upper)}`;
    return row;
  });
}

/** The time of the annotation before or after `time`, for the keys PageUp and PageDown; undefined if there is none. */
function beside(span, time, key) {
  if (key !== "PageUp" && key !== "PageDown") return undefined;
  const times = marks(span.plot).map(({ left }) => middle(span, span.start + (Math.max(0, left) / WIDTH) * (span.end - span.start)));
  return key === "PageUp" ? times.findLast((one) => one < time) : times.find((one) => one > time);
}

function when(span, time) {
  const begin = time - span.step / 2;
  const clock = timeOfDay(begin, span.step < 60);
  return span.end - span.start > 43_200 ? `${dayOf(begin)} ${clock}` : clock;
}

function box(span, time, found, noted, isActive) {
  const shown = make("hover-box");
  shown.append(make("hover-time", when(span, time)));
  for (const row of found) {
    const line = make(`hover-row series-${row.series}`);
    line.append(make("key"), make("hover-name", row.name), make("hover-value", row.text));
    line.append(make("hover-range", isActive ? row.range : "")); // empty in some, or else the rows would not be in columns
    shown.append(line);
  }
  for (const text of noted) shown.append(make("hover-note", text));
  return shown;
}

function draw() {
  waiting = 0;
  if (!at) return;
  const active = document.getElementById(at.widget)?.querySelector(".chart:has(> .plot)");
  if (!active) return stop();
  const own = read(active);
  const rect = own.plot.getBoundingClientRect();
  const time = middle(own, at.time ?? own.start + ((at.x - rect.left) / rect.width) * (own.end - own.start));
  const drawn = [];
  for (const chart of document.querySelectorAll(CHARTS)) {
    const place = chart.querySelector(".plot").getBoundingClientRect();
    const isSeen = place.bottom > 0 && place.top < innerHeight && place.right > 0 && place.left < innerWidth;
    if (isSeen && !chart.closest(".drawing")) drawn.push({ span: chart === active ? own : read(chart), place, isActive: chart === active });
  }
  layer ??= makeLayer();
  layer.replaceChildren();
  const placed = [];
  for (const { span, place, isActive } of drawn) {
    if (time < span.start || time > span.end) continue;
    const x = (WIDTH * (middle(span, time) - span.start)) / (span.end - span.start);
    const left = place.left + (place.width * x) / WIDTH;
    const found = rows(span, x);
    const line = make("hover-line");
    line.style.translate = `${left}px ${place.top}px`;
    line.style.height = `${place.height}px`;
    layer.append(line);
    for (const { series, y } of found) {
      if (y === null) continue;
      const dot = make(`hover-dot series-${series}`);
      dot.style.translate = `${left}px ${place.top + (place.height * y) / HEIGHT}px`;
      layer.append(dot);
    }
    const shown = box(span, time, found, isActive ? notes(span, x) : [], isActive);
    if (isActive) shown.classList.add("hover-active");
    layer.append(shown);
    placed.push({ shown, left, place, tile: span.chart.closest(".widget").getBoundingClientRect() });
  }
  const sizes = placed.map(({ shown }) => [shown.offsetWidth, shown.offsetHeight]); // measured at once, then moved
  placed.forEach(({ shown, left, place, tile }, number) => {
    const [width, height] = sizes[number];
    const [right, other] = [left + 1.5 * SPARE, left - 1.5 * SPARE - width];
    const x = within(right + width <= tile.right ? right : other, width, tile.left, tile.right, innerWidth);
    const y = within(place.top + (place.height - height) / 2, height, tile.top, tile.bottom, innerHeight);
    shown.style.translate = `${x}px ${y}px`;
  });
  return { span: own, time };
}

function soon() {
  if (at) waiting ||= requestAnimationFrame(draw);
}

function stop() {
  clearTimeout(timer);
  at = null;
  layer?.remove();
  layer = null;
}

function point(event) {
  const chart = event.target.closest?.(CHARTS);
  const widget = chart?.closest(".widget[id]");
  if (!widget || chart.closest(".drawing")) {
    if (at && at.x !== undefined) stop();
    return;
  }
  at = { widget: widget.id, x: event.clientX };
  clearTimeout(timer);
  if (isWall) timer = setTimeout(stop, GONE_AFTER_MS);
  soon();
}

function say(text) {
  if (!said) {
    said = make("sr");
    said.setAttribute("role", "status");
    document.body.append(said);
  }
  said.textContent = text;
}

document.addEventListener("pointermove", point, { passive: true });
document.addEventListener("pointerdown", point, { passive: true });
document.documentElement.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && stop());
document.addEventListener("pointercancel", stop);
addEventListener("scroll", soon, { passive: true, capture: true });
addEventListener("resize", soon, { passive: true });
for (const swap of ["htmx:ws:after:message:incoming", "htmx:after:swap", "renewed"]) document.addEventListener(swap, soon);

document.addEventListener("focusout", (event) => {
  if (at?.time !== undefined && event.target.matches?.(CHARTS)) stop();
});

document.addEventListener("keydown", (event) => {
  const chart = event.target.matches?.(CHARTS) && event.target;
  if (!chart || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return stop();
  const span = read(chart);
  const last = span.end - span.step / 2;
  const stride = span.step * (event.shiftKey ? 10 : 1);
  const now = at?.time ?? (at ? null : last + stride);
  const onto = beside(span, now ?? last, event.key);
  const to = onto ?? { ArrowLeft: (now ?? last) - stride, ArrowRight: (now ?? last) + stride, Home: span.start, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  at = { widget: chart.closest(".widget").id, time: Math.min(last, Math.max(span.start, to)) };
  cancelAnimationFrame(waiting);
  const shown = draw();
  if (!shown) return;
  const x = (WIDTH * (shown.time - span.start)) / (span.end - span.start);
  const values = rows(span, x).map(({ name, text, range }) => `${name} ${text}${range ? `, ${range}` : ""}`);
  say(`${when(span, shown.time)}: ${[...values, ...notes(span, x)].join("; ")}`);
});
