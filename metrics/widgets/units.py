"""Values as people read them: three digits that matter, and a unit that fits.

Rounding keeps the meaning: only 0 reads 0, only 100 % reads 100 %, only 60 s reads 60 s. Near such a bound, digits
count from the distance to it: 99.97 %, 99.9987 %.

Binary prefixes are those of IEC 80000-13 (KiB is 1024 B), decimal ones are SI's (k is 1000). Values that no prefix
fits are in scientific notation, without one.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
NOTHING = "\u2013"
DIGITS = 3
PLAIN_LEAST, PLAIN_MOST = 1e-4, 1e9
"""Numbers from the one to below the other are written out, the rest in powers of ten."""
DECIMALS_MOST = 10
NOISE = 5e-11
"""Share of a bound within which a value counts as the bound: floats make 99.99999999999999 % of 100 %."""
SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")

SIZES = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A value in two pieces, so that the unit can be drawn smaller: `text` is the digits, `unit` may be empty."""

    text: str
    unit: str

    def __str__(self) -> str:
        return f"{self.text}{NARROW_SPACE}{self.unit}" if self.unit else self.text


@dataclass(frozen=True, slots=True)
class Scale:
    """How a unit's values are drawn side by side: each is divided by `divisor` and followed by `symbol`."""

    divisor: float
    symbol: str


@dataclass(frozen=True, slots=True)
class Rung:
    """From `least` upwards (in the ladder's base unit), values are shown as multiples of `size` with `symbol`.

    Of multiples nearer to the bound `full` than `near`, digits count from the distance to it.
    """

    least: float
    size: float
    symbol: str
    full: float = math.inf
    near: float = 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` turns a value into the base unit of `rungs`; `zero` is the symbol of the unit without a prefix.

    `decimals` is how many there are at most, where more are not needed to tell a value from 0 or a bound; multiples of
    the last rung reach up to `most`. Of a `whole` unit, whole values are shown without decimals: 7 orders, not 7.00.
    """

    rungs: tuple[Rung, ...]
    factor: float = 1.0
    decimals: int = 2
    whole: bool = False
    zero: str = ""
    most: float = 1e6


def _ladder(base: float, *symbols: str) -> tuple[Rung, ...]:
    return tuple(Rung(base**power, base**power, symbol) for power, symbol in enumerate(symbols))


def _counting(name: str) -> Unit:
    """Thousands are written out up to 9999: people count 4 870 orders, not 4.87 k.

    A share that does not say that it is one is below 1 until it is 1.
    """
    prefixes = [(1e4, 1e3, "k"), (1e6, 1e6, "M"), (1e9, 1e9, "G"), (1e12, 1e12, "T"), (1e15, 1e15, "P")]
    first = Rung(1, 1, name, full=1, near=0.005)
    rungs = (first, *(Rung(least, size, f"{prefix} {name}".strip()) for least, size, prefix in prefixes))
    return Unit(rungs, whole=True, zero=name, most=1e3)


_TIME = (
    *(Rung(size, size, symbol) for size, symbol in ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"))),
    Rung(1, 1, "s", full=60, near=0.05),
    *(Rung(size, size, symbol) for size, symbol in ((60, "min"), (3600, "h"), (86_400, "d"))),
)
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_BITS = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
_PERCENT = (Rung(0, 1, "%", full=100, near=1),)

UNITS: dict[str, Unit] = {
    "": _counting(""),
    "count": _counting(""),
    "percent": Unit(_PERCENT, decimals=1, zero="%"),
    "ratio": Unit(_PERCENT, factor=100, decimals=1, zero="%"),
    "bytes": Unit(_ladder(1024, *_BYTES), whole=True, zero="B", most=1e4),
    "bytes_per_second": Unit(_ladder(1024, *(f"{name}/s" for name in _BYTES)), zero="B/s", most=1e4),
    "bits_per_second": Unit(_ladder(1000, *_BITS), zero="bit/s", most=1e4),
    "seconds": Unit(_TIME, zero="s"),
    "milliseconds": Unit(_TIME, factor=1e-3, zero="ms"),
    "days": Unit(_TIME, factor=86_400, whole=True, zero="d"),
    "celsius": _counting("°C"),
}
"""The units by the word that samples and configs use. Any other word is shown as it is, behind a plain number."""

SYMBOLS = {
    **{"%": "percent", "s": "seconds", "ms": "milliseconds", "d": "days", "°C": "celsius"},
    **{"B": "bytes", "B/s": "bytes_per_second", "bit/s": "bits_per_second"},
}
"""The words of units by the symbols that people write instead."""


def word_of(unit: str) -> str:
    """Return the word of a unit that is given as a word or as a symbol; of one that nobody knows, itself."""
    return SYMBOLS.get(unit, unit)


def unit_of(word: str) -> Unit:
    """Return the unit that `word`, or a symbol, names."""
    return UNITS.get(word_of(word)) or _counting(word)


def scale(word: str, magnitude: float) -> Scale:
    """Return how to draw values up to `magnitude` (in the unit `word`), all in the same multiple."""
    unit = unit_of(word)
    rung = _rung(unit, magnitude * unit.factor)
    return Scale(rung.size / unit.factor, rung.symbol)


def show(value: float, word: str, decimals: int | None = None) -> Shown:
    """Return `value`, given in the unit `word`, as it is shown.

    With `decimals`, it has that many, and more only where it would read 0 or a bound otherwise.
    """
    unit = unit_of(word)
    based = value * unit.factor
    if not math.isfinite(based):
        return Shown(NOTHING, "")
    if not based:
        return Shown(digits(0, decimals or 0), unit.zero)
    rung = _rung(unit, based)
    multiple = based / rung.size
    if decimals is None or abs(multiple) >= PLAIN_MOST:
        return Shown(digits(multiple, _decimals(abs(multiple), unit, rung)), rung.symbol)
    return Shown(digits(multiple, _enough(abs(multiple), decimals, rung)), rung.symbol)


def digits(value: float, decimals: int) -> str:
    """Return `value` rounded to `decimals` decimals, which may be negative; what is unreadable, in powers of ten."""
    if not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size and not PLAIN_LEAST <= size < PLAIN_MOST:
        text = _powers(size, min(DECIMALS_MOST, max(0, _exponent(size) + decimals)))
    elif not size and decimals > DECIMALS_MOST:
        text = "0"
    else:
        text = f"{size:,.{max(0, decimals)}f}".replace(",", NARROW_SPACE)
    negative = value < 0 and any(digit in text for digit in "123456789")
    return f"{MINUS}{text}" if negative else text


def age(seconds: float) -> str:
    """Return how long ago `seconds` are: 4 s, 12 min, 3 h, 2 d."""
    whole = max(0, int(seconds))
    for size, most, unit in ((1, 100, "s"), (60, 100, "min"), (3600, 48, "h")):
        if whole < most * size:
            return f"{whole // size} {unit}"
    return f"{whole // 86_400} d"


def lasted(seconds: float) -> str:
    """Return how long something lasted, in its two largest units and rounded: 51 s, 1 min 51 s, 2 h, 3 d 4 h."""
    whole = max(0, round(seconds))
    for (size, unit), (part, smaller) in pairwise(SIZES):
        if whole >= size:
            count, rest = divmod(round(whole / part), size // part)
            return f"{count} {unit} {rest} {smaller}" if rest else f"{count} {unit}"
    return f"{whole} s"


def decimals_of(step: float) -> int:
    """Return how many decimals multiples of `step` need; 10 and 100 less than none. It has two digits at most."""
    mantissa, _, exponent = f"{step:.1e}".partition("e")
    return -int(exponent) + (not mantissa.endswith("0"))


def _rung(unit: Unit, based: float) -> Rung:
    """Return the rung of `based`; the next one if rounding takes it there: 999.97 ms reads 1.00 s."""
    size = abs(based)
    place = next((place for place in reversed(range(len(unit.rungs))) if size >= unit.rungs[place].least), 0)
    rung = unit.rungs[place]
    multiple = size / rung.size
    if multiple < PLAIN_LEAST or (place == len(unit.rungs) - 1 and multiple >= unit.most):
        return next(one for one in unit.rungs if one.symbol == unit.zero)
    rounded = round(multiple, _decimals(multiple, unit, rung)) * rung.size
    return next((one for one in unit.rungs[place + 1 :] if rounded >= one.least * (1 - NOISE)), rung)


def _decimals(multiple: float, unit: Unit, rung: Rung) -> int:
    """Return how many decimals a `multiple` of `rung` has; powers of ten may have less than none."""
    if unit.whole and multiple == int(multiple) and multiple < PLAIN_MOST:
        return 0
    matter = _matter(multiple)
    if multiple >= PLAIN_MOST or multiple < PLAIN_LEAST:
        return matter
    usual = max(0, min(unit.decimals, matter))
    if _reaches(multiple, rung):
        return usual
    gap = abs(rung.full - multiple)
    return _needed(multiple, usual, min(DECIMALS_MOST, max(usual, _matter(gap) if gap < rung.near else matter)))


def _enough(multiple: float, decimals: int, rung: Rung) -> int:
    """Return `decimals`, or how many it takes until `multiple` does not read 0 or the bound of `rung`."""
    rounded = round(multiple, decimals)
    if not rounded:
        return -_exponent(multiple)
    if rounded == rung.full and not _reaches(multiple, rung):
        return min(DECIMALS_MOST, -_exponent(abs(rung.full - multiple)))
    return decimals


def _reaches(multiple: float, rung: Rung) -> bool:
    """Return whether a multiple is the bound of its rung, as far as floats tell."""
    return math.isclose(multiple, rung.full, rel_tol=NOISE)


def _needed(multiple: float, least: int, most: int) -> int:
    """Return with how many decimals `multiple` reads the same as with `most`: zeros at its end say nothing."""
    rounded = round(multiple, most)
    return next(count for count in range(least, most + 1) if round(multiple, count) == rounded)


def _matter(size: float) -> int:
    """Return how many decimals show the digits of `size` that matter."""
    return DIGITS - 1 - _exponent(size)


def _exponent(size: float) -> int:
    """Return the power of ten of the first digit of `size`, as it is rounded."""
    return int(f"{size:.{DIGITS - 1}e}".partition("e")[2])


def _powers(size: float, decimals: int) -> str:
    mantissa, _, exponent = f"{size:.{decimals}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}\u00d710{str(int(exponent)).translate(SUPERSCRIPTS)}"
