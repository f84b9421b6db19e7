// Shows the texts of the marks on a map or a history near a finger. To a mouse the browser shows them itself, as titles.

import { GONE_AFTER_MS, make, makeLayer, SPARE, within } from "./hover-box.js";

const MARKS = ":is(.over-map, .over-rows) .noted > g";
const NEAR = 16; // pixels, half of what a finger covers

let layer = null;
let timer = 0;

/** The texts of the marks of a widget near a place of the window. */
function texts(widget, x, y) {
  const isNear = (drawn) => {
    const box = drawn.getBoundingClientRect();
    return x >= box.left - NEAR && x <= box.right + NEAR && y >= box.top - NEAR && y <= box.bottom + NEAR;
  };
  const near = [...widget.querySelectorAll(MARKS)].filter((mark) => [...mark.querySelectorAll("rect, line, circle")].some(isNear));
  return near.map((mark) => mark.querySelector("title").textContent);
}

function stop() {
  clearTimeout(timer);
  layer?.remove();
  layer = null;
}

function touch({ pointerType, target, clientX, clientY }) {
  stop();
  const widget = target.closest?.(".widget[id]");
  if (pointerType === "mouse" || !widget || widget.closest(".drawing")) return;
  const found = texts(widget, clientX, clientY);
  if (!found.length) return;
  const box = make("hover-box hover-active");
  box.append(...found.map((text) => make("hover-note", text)));
  layer = makeLayer();
  layer.append(box);
  const tile = widget.getBoundingClientRect();
  const x = within(clientX - box.offsetWidth / 2, box.offsetWidth, tile.left, tile.right, innerWidth);
  const y = within(clientY - box.offsetHeight - 3 * SPARE, box.offsetHeight, tile.top, tile.bottom, innerHeight);
  box.style.translate = `${x}px ${y}px`;
  timer = setTimeout(stop, GONE_AFTER_MS);
}

document.addEventListener("pointerdown", touch, { passive: true });
addEventListener("scroll", stop, { passive: true, capture: true });
