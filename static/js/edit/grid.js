// Tiles of a draft: dragged and resized by mouse and touch, which gridstack does, and by keyboard, which it does not.

import { COLUMNS, ROWS } from "./align.js";
import { selection } from "./selection.js";

const HEIGHT_MOST = 12;
const ROW = "11.25rem"; // a row of a dashboard with its gap
const ROUNDS = 5;
const GAP = "0.375rem"; // half of the gap
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NARROW = matchMedia("(max-width: 700px)"); // one column, as the dashboard has there; nothing to drag

const clip = (value, least, most) => Math.max(least, Math.min(most, value));

/** Make the tiles of `canvas` movable. `save` gets all places when they changed, `speak` says what the keyboard did. */
export function arrange(canvas, save, speak) {
  if (NARROW.matches || !canvas.children.length) {
    for (const tile of canvas.children) tile.removeAttribute("aria-describedby"); // nothing takes hold of it
    return { end() {}, isBusy: () => false };
  }
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const grid = GridStack.init(
    { column: COLUMNS, cellHeight: ROW, margin: GAP, float: true, maxRow: ROWS, animate: !still, resizable: { handles: "e,se,s,sw,w" }, draggable: { cancel: ".tile-tools *" } },
    canvas,
  );
  for (const node of grid.engine.nodes) node.maxH = HEIGHT_MOST;
  let held = null; // the tile that the keyboard has hold of
  let before = [];
  let saved = JSON.stringify(placed());
  let dragging = false;
  let moving = false;

  const chosen = selection(canvas, { places: () => placed(true), move, speak });

  /** Where all tiles are, in the order of their keys; with `fixed` if asked, too. */
  function placed(withFixed = false) {
    const found = grid.engine.nodes.map(({ id: key, x, y, w, h, noResize }) => ({ key, x, y, w, h, ...(withFixed && { fixed: Boolean(noResize) }) }));
    return found.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  function changed() {
    const now = placed();
    const text = JSON.stringify(now);
    if (held || moving || text === saved) return;
    const before = saved;
    saved = text;
    save(now, () => { saved = before; }); // if it fails, the next move sends this one, too
  }

  function said(tile) {
    const { x, y, w, h } = tile.gridstackNode;
    return `${tile.ariaLabel}: column ${x + 1}, row ${y + 1}, ${w} wide, ${h} high.`;
  }

  function take(tile) {
    held = tile;
    before = placed();
    tile.classList.add("held");
    speak(`${tile.ariaLabel} is held. Arrows move it, Shift and arrows resize it, Enter puts it down, Escape puts it back.`);
  }

  function put(tile, back) {
    tile.classList.remove("held");
    if (back) setAll(before);
    held = null;
    speak(`${said(tile)} ${back ? "Put back." : "Put down."}`);
    changed();
  }

  function setAll(places) {
    grid.batchUpdate();
    for (const { key, x, y, w, h } of places) grid.update(document.getElementById(`tile-${key}`), { x, y, w, h });
    grid.batchUpdate(false);
  }

  /** Put all tiles elsewhere, as one step. One on its way may push another, which then takes its place in the next round. */
  function move(places) {
    moving = true;
    const wanted = new Map(places.map((one) => [one.key, one]));
    const isThere = (one) => ["x", "y", "w", "h"].every((name) => one[name] === wanted.get(one.key)[name]);
    for (let round = 0; round < ROUNDS && !placed().every(isThere); round += 1) setAll(places);
    moving = false;
    changed();
  }

  function step(tile, [across, down], resize) {
    const { x, y, w, h } = tile.gridstackNode;
    const to = resize
      ? { w: clip(w + across, 1, COLUMNS - x), h: clip(h + down, 1, HEIGHT_MOST) }
      : { x: clip(x + across, 0, COLUMNS - w), y: clip(y + down, 0, ROWS - h) };
    grid.update(tile, to);
    tile.scrollIntoView({ block: "nearest" });
    speak(said(tile));
  }

  function pressed(event) {
    const tile = event.target;
    if (!tile.matches?.(".tile") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      if (held) put(held, false);
      else take(tile);
    } else if (held && event.key === "Escape") {
      put(held, true);
    } else if (held && WAYS[event.key]) {
      step(held, WAYS[event.key], event.shiftKey);
    } else if (held || !chosen.pressed(event, tile)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // the page's own keys mean something else
  }

  function left(event) {
    if (held && event.target === held) put(held, false);
  }

  grid.on("change", changed);
  grid.on("dragstart resizestart", () => { dragging = true; });
  grid.on("dragstop resizestop", () => { dragging = false; });
  canvas.addEventListener("keydown", pressed);
  canvas.addEventListener("focusout", left);

  return {
    end() {
      held = null;
      chosen.end();
      canvas.removeEventListener("keydown", pressed);
      canvas.removeEventListener("focusout", left);
      grid.destroy(false);
    },
    isBusy: () => dragging || Boolean(held),
  };
}
