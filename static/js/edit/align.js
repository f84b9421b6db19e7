// Several tiles in line with each other: places in, places out. A tile is { key, x, y, w, h } in columns and rows,
// and `fixed` if its size is.

export const COLUMNS = 12;
export const ROWS = 160;

const FAR = { x: "w", y: "h" };
const most = (all, of) => Math.max(...all.map(of));
const least = (all, of) => Math.min(...all.map(of));
const covers = (one, other) => one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;

/** Tiles as large as the first along `axis`; those beside or below it make room. */
function same(axis) {
  const size = FAR[axis];
  return (tiles) => {
    const placed = [];
    const first = tiles.find((one) => !one.fixed) ?? tiles[0];
    const all = tiles.map((one) => (one.fixed ? one : { ...one, [size]: first[size] }));
    for (const one of all.sort((a, b) => a[axis] - b[axis])) {
      while (placed.some((other) => covers(one, other))) one[axis] += 1;
      placed.push(one);
    }
    const over = most(all, (one) => one.x + one.w) - COLUMNS;
    return axis === "x" && over > 0 ? all.map((one) => ({ ...one, x: one.x - Math.min(over, one.x) })) : all;
  };
}

/** Tiles with equal gaps between the first and the last along `axis`, which stay. */
function spread(axis) {
  const size = FAR[axis];
  return (tiles) => {
    const all = [...tiles].sort((a, b) => a[axis] - b[axis]);
    const [first, last] = [all[0], all.at(-1)];
    const gap = (last[axis] + last[size] - first[axis] - all.reduce((sum, one) => sum + one[size], 0)) / Math.max(1, all.length - 1);
    let at = first[axis];
    return all.map((one) => {
      const moved = { ...one, [axis]: Math.round(at) };
      at += one[size] + gap;
      return moved;
    });
  };
}

/** What can be done to tiles: `said` of them, from how many on, and how. */
export const WAYS = {
  left: { said: "left edges in line", from: 2, place: (all) => all.map((one) => ({ ...one, x: least(all, ({ x }) => x) })) },
  right: { said: "right edges in line", from: 2, place: (all) => all.map((one) => ({ ...one, x: most(all, ({ x, w }) => x + w) - one.w })) },
  top: { said: "top edges in line", from: 2, place: (all) => all.map((one) => ({ ...one, y: least(all, ({ y }) => y) })) },
  bottom: { said: "bottom edges in line", from: 2, place: (all) => all.map((one) => ({ ...one, y: most(all, ({ y, h }) => y + h) - one.h })) },
  width: { said: "as wide as the first", from: 2, place: same("x") },
  height: { said: "as high as the first", from: 2, place: same("y") },
  across: { said: "spread across", from: 3, place: spread("x") },
  down: { said: "spread down", from: 3, place: spread("y") },
};

/**
 * Return what `way` makes of the tiles `keys`, in the order in which they were chosen, among `all`: `{ places }`, or
 * `{ problem }`, a sentence. Others that are in the way move down.
 */
export function align(way, keys, all) {
  const chosen = keys.map((key) => all.find((one) => one.key === key));
  if (chosen.length < WAYS[way].from) return { problem: `This takes ${WAYS[way].from} tiles; ${chosen.length} are selected.` };
  const places = WAYS[way].place(chosen);
  for (const [index, one] of places.entries()) {
    if (one.x + one.w > COLUMNS || one.y + one.h > ROWS) return { problem: "There is no room for them." };
    if (places.slice(0, index).some((other) => covers(one, other))) return { problem: "They would cover each other." };
  }
  const others = all.filter(({ key }) => !keys.includes(key)).sort((a, b) => a.y - b.y || a.x - b.x);
  for (const other of others) {
    const one = { ...other };
    while (places.some((placed) => covers(one, placed))) one.y += 1;
    if (one.y + one.h > ROWS) return { problem: "There is no room for the others below them." };
    places.push(one);
  }
  return { places };
}

/** Return the tile nearest to `from` in the direction [across, down], undefined if there is none. */
export function nearest(from, [across, down], all) {
  const middle = ({ x, y, w, h }) => [x + w / 2, y + h / 2];
  const [fromX, fromY] = middle(from);
  const distance = (one) => {
    const [x, y] = middle(one);
    const [along, aside] = across ? [(x - fromX) * across, Math.abs(y - fromY)] : [(y - fromY) * down, Math.abs(x - fromX)];
    return along > 0 ? along + 3 * aside : Infinity;
  };
  const [best] = all.filter((one) => distance(one) < Infinity).sort((a, b) => distance(a) - distance(b));
  return best;
}
