// Reading a chart's paths, and writing values as `metrics/widgets/units.py` does.

export const HEIGHT = 400; // of the SVG's box
const SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

/** The polylines of a path in relative strides, each a list of [x, y]; of a closed one, its upper edge, then its lower. */
export function polylines(d) {
  const found = [];
  for (const piece of d.match(/M[^M]+/g) ?? []) {
    const numbers = piece.replace(/h\.1/, "").match(/-?\d+/g).map(Number);
    let [x, y] = numbers;
    const points = [[x, y]];
    for (let place = 2; place < numbers.length; place += 2) {
      x += numbers[place];
      y += numbers[place + 1];
      points.push([x, y]);
    }
    if (!piece.endsWith("z")) found.push(points);
    else {
      const turn = points.findIndex(([next], place) => place > 0 && next <= points[place - 1][0]);
      const edge = turn < 0 ? points.length : turn;
      found.push(points.slice(0, edge), points.slice(edge).reverse());
    }
  }
  return found;
}

/** The y at `x` of the polyline that is there, or ends within `tolerance`; null where none is. Between two points, that of the nearer. */
export function valueAt(lines, x, tolerance) {
  let nearest = null;
  let distance = tolerance;
  for (const points of lines) {
    const [first, last] = [points[0], points.at(-1)];
    if (x < first[0] - distance || x > last[0] + distance) continue;
    if (x <= first[0] || x >= last[0]) {
      const end = x <= first[0] ? first : last;
      nearest = end[1];
      distance = Math.abs(end[0] - x);
      continue;
    }
    let [from, to] = [0, points.length - 1];
    while (to - from > 1) {
      const half = (from + to) >> 1;
      if (points[half][0] <= x) from = half;
      else to = half;
    }
    return x - points[from][0] <= points[to][0] - x ? points[from][1] : points[to][1];
  }
  return nearest;
}

/** `value` with so many decimals, and in powers of ten where that would be hard to read. */
export function digits(value, decimals) {
  const size = Math.abs(value);
  let text;
  if (size && (size < 1e-4 || size >= 1e9)) {
    const [mantissa, exponent] = size.toExponential(2).split("e");
    const power = exponent.replace("+", "").replace("-", "\u207b").replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
    text = `${mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa}\u00d710${power}`;
  } else {
    const [whole, rest] = size.toFixed(Math.min(10, decimals)).split(".");
    text = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (rest ? `.${rest}` : "");
  }
  return value < 0 && /[1-9]/.test(text) ? `\u2212${text}` : text;
}

/** An axis as what reads a height of the box off it. Only an end of it is an end: what is drawn beside one may be anything up
 *  to there, and is written as more or less than where that begins. Where values are `cut`, an end may be beyond it. */
export function scale(low, high, divisor, decimals, unit, log, cut) {
  const [bottom, top] = [low, high].map((one) => (log === undefined ? Number(one) : Math.log10(one)));
  const of = (height) => {
    const value = (log === undefined ? height : 10 ** height) / divisor;
    return digits(value, log === undefined ? Number(decimals) : Math.max(0, 2 - Math.floor(Math.log10(value))));
  };
  const at = (y) => of(top - (y / HEIGHT) * (top - bottom));
  const ends = cut === undefined ? ["", ""] : ["\u2265\u202f", "\u2264\u202f"];
  return {
    number: (y) => {
      if (y === 0) return ends[0] + at(y);
      if (y === HEIGHT) return ends[1] + at(y);
      if (y === 1) return `>\u202f${at(1.5)}`;
      return y === HEIGHT - 1 ? `<\u202f${at(y - 0.5)}` : at(y);
    },
    difference: (upper, lower) => {
      const size = (heights) => of((heights / HEIGHT) * (top - bottom));
      return upper === lower && lower < HEIGHT ? `<\u202f${size(1)}` : size(lower - upper);
    },
    unit: unit ? `\u202f${unit}` : "",
  };
}

/** The day at `seconds` (Unix) in the server's zone: Fri 20 Nov. */
export function dayOf(seconds) {
  const timeZone = document.documentElement.dataset.timeZone || undefined;
  try {
    return new Date(seconds * 1000).toLocaleDateString("en-GB", { timeZone, weekday: "short", day: "numeric", month: "short" }).replace(",", "");
  } catch {
    return new Date(seconds * 1000).toLocaleDateString("en-GB");
  }
}
