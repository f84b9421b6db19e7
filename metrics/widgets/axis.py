"""Axes: where a person would put the marks on a scale of values, and on a stretch of time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from metrics.widgets import units

INTERVALS_MOST = 4
TIMES_MOST = 7
FLAT_SHARE = 0.1
STEPS_S = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200)
STEPS_DAYS = (1, 2, 5, 10, 30)
DAY_S = 86_400
FAR = 1e300
EDGE = 0.04
FAR_FROM_ZERO = 0.9
UNIT_MOST = 8
SHORT_POWERS = 2
"""On a logarithmic axis of so few powers of ten, 2 and 5 have marks as well."""
HEIGHTS = 400
"""So many values a curve can tell apart."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark: `place` is where, in per cent of the axis from its left or top ("25.0%"); `text` what it says."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The vertical axis: from `low` to `high` in the series' unit, the `ticks`, and the `unit` they are written in.

    A long unit is cut at its end: what it begins with, such as P for 10^15, says how large the numbers are. `widest` is
    the longest of these texts, which is what the page makes room for. A value that is read off the axis is divided by
    `divisor`, written with `decimals`, as many as a curve can show, and followed by the whole `symbol`. Where values
    are `cut`, those beyond an end are drawn at it. On a `log` axis each tenfold is as high, the texts have units of
    their own, and digits count instead of decimals.
    """

    low: float
    high: float
    ticks: tuple[Tick, ...]
    unit: str
    widest: str
    divisor: float
    decimals: int
    symbol: str
    log: bool = False
    cut: bool = False

    def height(self, value: float) -> float:
        """Return how high `value` lies, as paths are drawn: itself, or the logarithm of what is more than zero."""
        return math.log10(value) if self.log else value

    def place(self, value: float) -> str | None:
        """Return where `value` is, as a tick's place; None where that is not on the axis."""
        if not self.low <= value <= self.high:
            return None
        low, high = self.height(self.low), self.height(self.high)
        return _percent((high - self.height(value)) / (high - low))


def domain(values: list[float]) -> tuple[float, float]:
    """Return the (low, high) to draw `values` on, so that noise on something flat does not look like a storm."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = (max(-FAR, min(FAR, end)) for end in (min(finite), max(finite)))
    least = FLAT_SHARE * max(abs(low), abs(high)) or 1.0
    spare = max(0.0, least - (high - low)) / 2
    return (low if low == 0 else low - spare), high + spare


def value_axis(
    values: list[float], word: str, low: float | None = None, high: float | None = None, *, fixed: bool = False
) -> ValueAxis:
    """Return the axis for `values` of the unit `word`. It reaches `low` and `high`, and beyond if values do.

    If it is `fixed`, it goes from `low` to `high`, which are both given, and no further.

    It starts at zero unless what there is to see would then be a flat line far above it.
    """
    given = values
    if fixed and low is not None and high is not None:
        values = [low, high]
    least, most = _wanted(values, low, high)
    if low is None and least > 0 and (least < FAR_FROM_ZERO * most or len(set(values)) == 1):
        least = 0.0
    scale = units.scale(word, max(abs(least), abs(most)))
    step = nice_step((most - least) / scale.divisor, INTERVALS_MOST)
    first, last = math.floor(least / scale.divisor / step + 1e-9), math.ceil(most / scale.divisor / step - 1e-9)
    bottom = least if low == least else first * step * scale.divisor
    top = most if high == most else last * step * scale.divisor
    decimals = units.decimals_of(step)
    plain = decimals if step >= units.PLAIN_LEAST else 0  # zero beside powers of ten has none
    ticks = tuple(
        Tick(
            _percent((top - value) / (top - bottom)), units.digits(value / scale.divisor, decimals if value else plain)
        )
        for value in (multiple * step * scale.divisor for multiple in range(first, last + 1))
        if bottom - 1e-9 * abs(bottom) <= value <= top + 1e-9 * abs(top)
    )
    unit = _short(scale.symbol)
    widest = max(unit, *(tick.text for tick in ticks), key=len)
    fine = max(0, math.ceil(-math.log10((top - bottom) / scale.divisor / HEIGHTS)))
    cut = _is_cut(given, bottom, top)
    return ValueAxis(bottom, top, ticks, unit, widest, scale.divisor, fine, scale.symbol, cut=cut)


def log_axis(
    values: list[float], word: str, low: float | None = None, high: float | None = None, *, fixed: bool = False
) -> ValueAxis:
    """Return the logarithmic axis for `values`, which are all more than zero, as `value_axis` does.

    Without `low` and `high` it begins and ends with a power of ten.
    """
    ends = [end for end in (low, high) if end is not None]
    found = [max(1 / FAR, min(FAR, value)) for value in ([] if fixed else values) + ends] or [1.0]
    first, last = math.floor(math.log10(min(found)) + 1e-9), math.ceil(math.log10(max(found)) - 1e-9)
    last += first == last
    bottom = low if low is not None and low == min(found) else 10.0**first
    top = high if high is not None and high == max(found) else 10.0**last
    each = math.ceil((last - first) / INTERVALS_MOST)
    marks = [
        times * 10.0**power
        for power in range(last, first - 1, -each)
        for times in ((5, 2, 1) if last - first <= SHORT_POWERS else (1,))
    ]
    scale = units.scale(word, top)
    cut = _is_cut(values, bottom, top)
    empty = ValueAxis(bottom, top, (), "", "", scale.divisor, 0, scale.symbol, log=True, cut=cut)
    placed = [(empty.place(value), str(units.show(value, word))) for value in reversed(marks)]
    ticks = tuple(Tick(place, text) for place, text in placed if place)
    return replace(empty, ticks=ticks, widest=max((tick.text for tick in ticks), key=len, default=""))


def _is_cut(values: list[float], low: float, high: float) -> bool:
    return any(value < low or value > high for value in values)


def _short(symbol: str) -> str:
    return symbol if len(symbol) <= UNIT_MOST else f"{symbol[: UNIT_MOST - 1].rstrip()}…"


def _wanted(values: list[float], low: float | None, high: float | None) -> tuple[float, float]:
    """Return the domain of `values`; if both ends are given, these, however narrow: somebody wants 99.9 to 100 %."""
    every = [*values, *(end for end in (low, high) if end is not None)]
    if low is None or high is None or low >= high or not all(map(math.isfinite, every)):
        return domain(every)
    return min(every), max(every)


def nice_step(span: float, intervals: int) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that covers `span` in so many intervals."""
    raw = span / intervals
    power = 10.0 ** math.floor(math.log10(raw))
    return next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= raw * (1 - 1e-9))


@lru_cache(maxsize=256)  # the charts of a page have the same
def time_ticks(start: float, end: float, zone: tzinfo) -> tuple[Tick, ...]:
    """Return the marks between two Unix times, at round times of the clock in `zone`.

    None is so near to an end that its text would stick out.
    """
    places = (((at - start) / (end - start), text) for at, text in _round_times(start, end, zone))
    return tuple(Tick(_percent(share), text) for share, text in places if EDGE < share < 1 - EDGE)


def _round_times(start: float, end: float, zone: tzinfo) -> Iterator[tuple[float, str]]:
    step_s = next((step for step in STEPS_S if (end - start) / step <= TIMES_MOST), None)
    for day in _days(start, end, zone):
        if step_s is None:
            times = [day] if day.toordinal() % _step_days(end - start) == 0 else []
        else:
            times = [day + timedelta(seconds=second) for second in range(0, DAY_S, step_s)]
        for wall in times:
            at = wall.replace(tzinfo=zone).timestamp()
            exists = datetime.fromtimestamp(at, zone).replace(tzinfo=None) == wall  # not in the hour spring leaves out
            if start <= at < end and exists:
                yield at, _text(wall, end - start)


def _days(start: float, end: float, zone: tzinfo) -> Iterator[datetime]:
    """Yield the midnights, by the clock on the wall, of every day that the times touch."""
    day = datetime.fromtimestamp(start, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    last = datetime.fromtimestamp(end, zone).replace(tzinfo=None)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _step_days(length_s: float) -> int:
    return next((days for days in STEPS_DAYS if length_s / DAY_S / days <= TIMES_MOST), STEPS_DAYS[-1])


def _text(wall: datetime, length_s: float) -> str:
    if length_s > 14 * DAY_S:
        return f"{wall:%b} {wall.day}"
    if length_s > 2 * DAY_S or (wall.hour == wall.minute == 0):
        return f"{wall:%a} {wall.day}"
    return f"{wall:%H:%M}"


def _percent(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.1f}%"
