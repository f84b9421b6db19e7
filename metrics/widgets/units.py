"""Values as people read them: three digits that matter, and a unit that fits.

Binary prefixes are those of IEC 80000-13 (KiB is 1024 B), decimal ones are SI's (k is 1000).
"""

import math
from dataclasses import dataclass

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
NOTHING = "\u2013"
BIG = 1e6
TINY = 0.005


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
    """From `least` upwards (in the ladder's base unit), values are shown as multiples of `size` with `symbol`."""

    least: float
    size: float
    symbol: str


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` turns a value into the base unit of `rungs`; `digits` is the most decimals; `zero` stands behind 0.

    Of a `whole` unit, whole values are shown without decimals: 7 orders, not 7.00.
    """

    rungs: tuple[Rung, ...]
    factor: float = 1.0
    digits: int = 2
    whole: bool = False
    zero: str = ""


def _ladder(base: float, *symbols: str) -> tuple[Rung, ...]:
    return tuple(Rung(base**power, base**power, symbol) for power, symbol in enumerate(symbols))


def _counting(name: str) -> Unit:
    """Thousands are written out up to 9999: people count 4 870 orders, not 4.87 k."""
    prefixes = [(1e4, 1e3, "k"), (1e6, 1e6, "M"), (1e9, 1e9, "G"), (1e12, 1e12, "T"), (1e15, 1e15, "P")]
    rungs = (Rung(1, 1, name), *(Rung(least, size, f"{prefix} {name}".strip()) for least, size, prefix in prefixes))
    return Unit(rungs, whole=True, zero=name)


_TIMES = ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d"))
_TIME = tuple(Rung(size, size, symbol) for size, symbol in _TIMES)
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_PERCENT = (Rung(0, 1, "%"),)

UNITS: dict[str, Unit] = {
    "": _counting(""),
    "count": _counting(""),
    "percent": Unit(_PERCENT, digits=1, zero="%"),
    "ratio": Unit(_PERCENT, factor=100, digits=1, zero="%"),
    "bytes": Unit(_ladder(1024, *_BYTES), whole=True, zero="B"),
    "bytes_per_second": Unit(_ladder(1024, *(f"{name}/s" for name in _BYTES)), zero="B/s"),
    "bits_per_second": Unit(_ladder(1000, "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"), zero="bit/s"),
    "seconds": Unit(_TIME, zero="s"),
    "milliseconds": Unit(_TIME, factor=1e-3, zero="ms"),
    "days": Unit(_TIME, factor=86_400, whole=True, zero="d"),
}
"""The units by the word that samples and configs use. Any other word is shown as it is, behind a plain number."""


def unit_of(word: str) -> Unit:
    """Return the unit that `word` names."""
    return UNITS.get(word) or _counting(word)


def scale(word: str, magnitude: float) -> Scale:
    """Return how to draw values up to `magnitude` (in the unit `word`), all in the same multiple."""
    unit = unit_of(word)
    rung = _rung(unit, magnitude * unit.factor)
    return Scale(rung.size / unit.factor, rung.symbol)


def show(value: float, word: str, decimals: int | None = None) -> Shown:
    """Return `value`, given in the unit `word`, as it is shown; with `decimals`, exactly that many."""
    unit = unit_of(word)
    based = value * unit.factor
    if not math.isfinite(based):
        return Shown(NOTHING, "")
    if not based:
        return Shown(digits(0, decimals or 0), unit.zero)
    rung = _rung(unit, based)
    scaled = based / rung.size
    return Shown(digits(scaled, _decimals(scaled, unit) if decimals is None else decimals), rung.symbol)


def digits(value: float, decimals: int) -> str:
    """Return `value` with `decimals` decimals; what that would make unreadable, in powers of ten."""
    if not math.isfinite(value):
        return NOTHING
    if abs(value) >= BIG:
        text = _powers(f"{value:.2e}")
    elif value and abs(value) < TINY and decimals > 1:
        text = _powers(f"{value:.2g}")
    else:
        text = f"{value:,.{decimals}f}".replace(",", NARROW_SPACE)
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return text.replace("-", MINUS if negative else "", 1) if text.startswith("-") else text


def _rung(unit: Unit, based: float) -> Rung:
    size = abs(based)
    rounded = max(size, float(f"{size:.3g}"))  # 999.9 ms reads as 1 s
    return next((rung for rung in reversed(unit.rungs) if rounded >= rung.least), unit.rungs[0])


def _decimals(scaled: float, unit: Unit) -> int:
    size = abs(scaled)
    if unit.whole and size == int(size):
        return 0
    return min(unit.digits, 2 if size < 9.995 else 1 if size < 99.95 else 0)


def _powers(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa
