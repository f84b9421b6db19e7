// Tiles of a draft as a phone has them, in one column: put in order by mouse, touch and keyboard, and made higher.
// The controls of all tiles, in their order on the page, are one form, so that is what is saved.

const HEIGHT_MOST = 12;
const WAYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const EDGE_PX = 70; // so near to an end of the page a drag scrolls it
const SCROLL_PX = 9;
const DRAGS_FROM_PX = 5;

/** Make the tiles of `canvas` movable. `save` is called when they changed, `speak` says what the keyboard did. */
export function column(canvas, save, speak) {
  let held = null; // the tile that the keyboard has hold of
  let drag = null; // {tile, x, y, moves}
  let before = [];
  let saved = state();

  function tiles() {
    return [...canvas.children];
  }

  function height(tile) {
    return tile.querySelector("select");
  }

  function state() {
    return JSON.stringify(tiles().map((tile) => [tile.dataset.key, height(tile)?.value]));
  }

  function changed() {
    const now = state();
    if (held || drag || now === saved) return;
    const last = saved;
    saved = now;
    tiles().forEach((tile, place, all) => {
      tile.querySelector("[name=up]").disabled = place === 0;
      tile.querySelector("[name=down]").disabled = place === all.length - 1;
    });
    save(() => { saved = last; }); // if it fails, the next move sends this one, too
  }

  /** Put `tile` at a place by moving others around it: what somebody touches stays in the page. */
  function put(tile, place) {
    while (tiles().indexOf(tile) > place) tile.after(tile.previousElementSibling);
    while (tiles().indexOf(tile) < place) tile.before(tile.nextElementSibling);
  }

  function setHeight(tile, value) {
    height(tile).value = value;
    tile.className = tile.className.replace(/ ?\bph-\d+/, "") + (value ? ` ph-${value}` : "");
  }

  function rows(tile) {
    const style = getComputedStyle(tile);
    return Number(style.getPropertyValue("--ph") || style.getPropertyValue("--h"));
  }

  function said(tile) {
    const all = tiles();
    return `${tile.ariaLabel}: ${all.indexOf(tile) + 1} of ${all.length}${height(tile) ? `, ${rows(tile)} high` : ""}.`;
  }

  function remember() {
    before = tiles().map((tile) => [tile, height(tile)?.value]);
  }

  function restore() {
    before.forEach(([tile, value], place) => {
      put(tile, place);
      if (height(tile)) setHeight(tile, value);
    });
  }

  // --- By keyboard ------------------------------------------------------------------------------------------

  function take(tile) {
    held = tile;
    remember();
    tile.classList.add("held");
    speak(`${tile.ariaLabel} is held. Arrows move it, Shift and arrows change its height, Enter puts it down, Escape puts it back.`);
  }

  function release({ back = false, focus = true } = {}) {
    const tile = held;
    tile.classList.remove("held");
    if (back) restore();
    held = null;
    if (focus) tile.focus({ preventScroll: true });
    speak(`${said(tile)} ${back ? "Put back." : "Put down."}`);
    changed();
  }

  function step(way, resize) {
    const [tile, all] = [held, tiles()];
    if (!resize) put(tile, Math.max(0, Math.min(all.length - 1, all.indexOf(tile) + way)));
    else if (height(tile)) setHeight(tile, String(Math.max(1, Math.min(HEIGHT_MOST, rows(tile) + way))));
    tile.scrollIntoView({ block: "nearest" });
    speak(said(tile));
  }

  function pressed(event) {
    if (event.key === "Escape" && drag) return drop(true);
    const tile = event.target;
    if (!tile.matches?.(".tile") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      if (held) release();
      else take(tile);
    } else if (held && event.key === "Escape") {
      release({ back: true });
    } else if (held && WAYS[event.key]) {
      step(WAYS[event.key], event.shiftKey);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // the page's own keys mean something else
  }

  function left(event) {
    if (held && event.target === held) release({ focus: false }); // it goes where somebody put it
  }

  // --- By mouse and touch -----------------------------------------------------------------------------------

  function down(event) {
    const tile = event.target.closest(".tile");
    const isGrip = event.target.closest("[data-grip]");
    if (!tile || held || drag || event.button || event.target.closest(".tile-tools")) return;
    if (event.pointerType !== "mouse" && !isGrip) return; // a finger beside the grip scrolls the page
    drag = { tile, x: event.clientX, y: event.clientY, moves: false };
    canvas.setPointerCapture(event.pointerId);
    remember();
  }

  function moved(event) {
    if (!drag) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y);
    if (!drag.moves && far < DRAGS_FROM_PX) return;
    [drag.x, drag.y] = [event.clientX, event.clientY];
    if (drag.moves) return follow();
    drag.moves = true;
    drag.tile.classList.add("held");
    requestAnimationFrame(scroll);
    follow();
  }

  /** Put the tile where the pointer is, once that is beyond the middle of the one that is there. */
  function follow() {
    const { tile, x, y } = drag;
    const all = tiles();
    const over = all.find((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      return x >= left && x <= right && y >= top && y <= bottom;
    });
    if (!over || over === tile) return;
    const [box, own] = [over.getBoundingClientRect(), tile.getBoundingClientRect()];
    const isBeside = Math.abs(box.top - own.top) < 2;
    const beyond = isBeside ? x - (box.left + box.right) / 2 : y - (box.top + box.bottom) / 2;
    const isBefore = all.indexOf(over) < all.indexOf(tile);
    if (isBefore ? beyond < 0 : beyond > 0) put(tile, all.indexOf(over));
  }

  function scroll() {
    if (!drag) return;
    const by = drag.y < EDGE_PX ? -SCROLL_PX : drag.y > innerHeight - EDGE_PX ? SCROLL_PX : 0;
    if (by) {
      scrollBy(0, by);
      follow();
    }
    requestAnimationFrame(scroll);
  }

  function drop(back) {
    if (!drag) return;
    const { tile, moves } = drag;
    drag = null;
    tile.classList.remove("held");
    if (back) restore();
    if (moves) changed();
  }

  const listeners = {
    keydown: pressed,
    focusout: left,
    pointerdown: down,
    pointermove: moved,
    pointerup: () => drop(false),
    pointercancel: () => drop(true),
  };
  for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener);

  return {
    end() {
      held = drag = null;
      for (const [name, listener] of Object.entries(listeners)) canvas.removeEventListener(name, listener);
    },
    isBusy: () => Boolean(held || drag),
  };
}
