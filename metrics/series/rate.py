"""The newest rate of a counter: its growth over a window that ends with the newest sample, by the time that took.

The window reaches back to the sample before its begin, as in VictoriaMetrics
(https://docs.victoriametrics.com/metricsql/#rate), so nothing is extrapolated, and a steady counter shows the same at
whatever moment it is asked. It is put together of steps, a fourth of it each, and so up to about a fourth longer.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator

from metrics import every
from metrics.series import reader
from metrics.series.find import Found
from metrics.series.functions import FunctionName, rates
from metrics.series.reader import Track, Wanted

WINDOW_LEAST_S = 60
SAMPLES_EXPECTED = 4
EVERY_UNKNOWN_S = 300.0
"""Of a series with fewer than three samples, nobody knows yet how often they come."""
STEPS = 4
WINDOWS_BEFORE = 2
"""How many are read before the current one: a window ends with the newest sample, which may be in the one before."""

OVER_MOST_S = 30 * 86_400


def _period(value: str) -> str:
    if every.seconds(value) > OVER_MOST_S:
        raise ValueError(f"{value} is longer than 30d.")
    return value


Over = Annotated[str, AfterValidator(_period)]
"""Over how long a rate is, as people write it: 5m."""

Wish = tuple[int, float | None]
"""The id of a series, and the seconds its rate is wanted over; None for what fits how often its samples come."""


def over_seconds(over: str | None, function: FunctionName | None) -> float | None:
    """Return `over` in seconds, None if there is none.

    Raises ValueError, with a sentence but for its full stop, if it is given for a `function` that is not the rate.
    """
    if over is not None and function not in (None, "rate"):
        raise ValueError(f"over is for rates, and the function is {function}")
    return None if over is None else every.seconds(over)


def window_s(over_s: float | None, every_s: float | None) -> int:
    """Return how many seconds a rate is over: `over_s`, else enough for four expected samples, at least a minute."""
    return math.ceil(over_s or max(WINDOW_LEAST_S, SAMPLES_EXPECTED * (every_s or EVERY_UNKNOWN_S)))


def newest_rates(wanted: Mapping[Wish, Found], seen: Mapping[int, Track], at: float) -> dict[Wish, float]:
    """Return the newest rates of the series `wanted` as of `at`, those that there are.

    The database is asked once for all series whose windows are as long.
    """
    spans: dict[tuple[int, int], list[Wish]] = defaultdict(list)
    for wish in wanted:
        latest, every_s = seen[wish[0]].latest, seen[wish[0]].every_s
        if latest is not None:
            over_s = window_s(wish[1], every_s)
            spans[over_s, _window(latest.at, at, over_s)].append(wish)
    steps = reader.steps([_steps(*span, [wanted[wish] for wish in wishes]) for span, wishes in spans.items()], at)
    found: dict[Wish, float] = {}
    for ((over_s, _), wishes), by_id in zip(spans.items(), steps, strict=True):
        for wish in wishes:
            of_steps = rates(by_id.get(wish[0], []), over_s)
            if of_steps:
                found[wish] = of_steps[-1][1]
    return found


def _window(newest_at: float, at: float, over_s: int) -> int:
    """Return the number of the window to read up to: the current one, or that in which the series ended before."""
    current = math.floor(at / over_s)
    return current if newest_at >= (current - 1) * over_s else math.floor(newest_at / over_s)


def _steps(over_s: int, window: int, chosen: Sequence[Found]) -> Wanted:
    return Wanted(chosen, (window - WINDOWS_BEFORE) * over_s, (window + 1) * over_s, over_s / STEPS)
