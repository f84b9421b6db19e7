// The tiles that are selected, in the order in which they were: by Shift and a click, Space, Shift and arrows, or a long press.

import { align, nearest, WAYS } from "./align.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LONG_MS = 500;
const STILL_PX = 10;

let keys = []; // kept while the page is drawn anew

const element = (key) => document.getElementById(`tile-${key}`);

/** Let tiles of `canvas` be selected and aligned. `places` says where they are, `move` puts them elsewhere. */
export function selection(canvas, { places, move, speak }) {
  const bar = document.getElementById("align");
  let press = null;

  function draw() {
    for (const tile of canvas.querySelectorAll(".tile")) {
      const is = keys.includes(tile.dataset.key);
      tile.classList.toggle("selected", is);
      tile.setAttribute("aria-describedby", is ? "canvas-selected canvas-help" : "canvas-help");
    }
    bar.hidden = !keys.length;
    bar.querySelector("[data-problem]").textContent = "";
    bar.querySelector("output").textContent = `${keys.length} selected`;
    for (const button of bar.querySelectorAll("[data-align]")) button.disabled = keys.length < WAYS[button.dataset.align].from;
  }

  function toggle(tile) {
    const { key } = tile.dataset;
    const was = keys.includes(key);
    keys = was ? keys.filter((one) => one !== key) : [...keys, key];
    draw();
    speak(`${tile.ariaLabel} ${was ? "is no longer selected" : "selected"}, ${keys.length} in all.`);
  }

  function clear() {
    if (!keys.length) return;
    const last = element(keys.at(-1));
    keys = [];
    if (bar.contains(document.activeElement)) last?.focus({ preventScroll: true });
    draw();
    speak("Nothing is selected.");
  }

  function extend(tile, way) {
    const all = places();
    const next = nearest(all.find(({ key }) => key === tile.dataset.key), way, all);
    if (!next) return;
    if (!keys.includes(tile.dataset.key)) keys.push(tile.dataset.key);
    const to = element(next.key);
    if (keys.includes(next.key)) keys = keys.filter((one) => one !== tile.dataset.key); // back over those that were
    else keys.push(next.key);
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
    draw();
    speak(`${to.ariaLabel} selected, ${keys.length} in all.`);
  }

  /** Do what `event` asks of the focused `tile`; whether it asked for anything. */
  function pressed(event, tile) {
    if (event.key === " ") toggle(tile);
    else if (event.key === "Escape" && keys.length) clear();
    else if (event.shiftKey && ARROWS[event.key]) extend(tile, ARROWS[event.key]);
    else return false;
    return true;
  }

  function clicked(event) {
    const tile = event.target.closest(".tile");
    if (!tile || event.target.closest(".tile-tools")) return;
    if (press?.long) event.preventDefault(); // it was selected already
    else if (event.shiftKey || (press?.touch && keys.length && !press.moved)) toggle(tile);
    press = null;
  }

  function down(event) {
    const tile = event.target.closest(".tile");
    clearTimeout(press?.timer);
    press = null;
    if (!tile || event.pointerType === "mouse" || event.target.closest(".tile-tools, .ui-resizable-handle")) return;
    const now = { touch: true, x: event.clientX, y: event.clientY, moved: false, long: false };
    now.timer = setTimeout(() => {
      now.long = true;
      toggle(tile);
    }, LONG_MS);
    press = now;
  }

  function moved(event) {
    if (!press || Math.hypot(event.clientX - press.x, event.clientY - press.y) < STILL_PX) return;
    press.moved = true;
    clearTimeout(press.timer);
  }

  function menu(event) {
    if (press) event.preventDefault(); // of a long press
  }

  function chosen(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const way = button.dataset.align;
    if (!way) return clear();
    const { places: to, problem } = align(way, keys, places());
    if (to) move(to);
    speak(problem ?? `${keys.length} tiles: ${WAYS[way].said}.`);
    bar.querySelector("[data-problem]").textContent = problem ?? "";
  }

  function escaped(event) {
    if (event.key === "Escape") clear();
  }

  const up = () => clearTimeout(press?.timer);
  const listeners = [
    [canvas, "click", clicked], [canvas, "pointerdown", down], [canvas, "pointermove", moved], [canvas, "pointerup", up],
    [canvas, "pointercancel", up], [canvas, "contextmenu", menu], [bar, "click", chosen], [bar, "keydown", escaped],
  ];
  for (const [on, name, heard] of listeners) on.addEventListener(name, heard, true); // gridstack keeps some to itself
  keys = keys.filter((key) => element(key));
  draw();

  return {
    pressed,
    end() {
      clearTimeout(press?.timer);
      for (const [on, name, heard] of listeners) on.removeEventListener(name, heard, true);
    },
  };
}
