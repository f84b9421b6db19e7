// The layer above the widgets, which may be swapped under it, and the boxes on it.

export const SPARE = 8; // pixels between what is drawn and the edges of the window
export const GONE_AFTER_MS = 8000; // on a wall, nobody takes the pointer away

export const make = (name, text = "") => {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
};

/** A new layer; whoever made it removes it. */
export function makeLayer() {
  const layer = make("hover");
  layer.setAttribute("aria-hidden", "true");
  document.body.append(layer);
  return layer;
}

/** `at` moved into the tile, and in any case into the window. */
export function within(at, size, tileBegin, tileEnd, windowEnd) {
  const inTile = Math.max(tileBegin, Math.min(at, tileEnd - size));
  return Math.max(SPARE, Math.min(inTile, windowEnd - SPARE - size));
}
