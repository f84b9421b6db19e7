"""Series with a function of theirs in the place of their values."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from metrics.series import rate, raw, read
from metrics.series.find import Found, Query, find
from metrics.series.functions import Function, Value, by_step, overall, quantile
from metrics.series.read import Point, Step, Track, Wanted

RATE = Function("rate")
EVERY_SAMPLE_S = 6 * 3600
MINUTES_S = 24 * 3600
"""Quantiles are of every sample in windows up to the first, of the means of minutes up to the second, else of hours."""


@dataclass(frozen=True, slots=True)
class Window:
    """Steps of `step_s` with start ≤ t < end, as of `at`; `shown` is where it begins to be shown. Unix seconds."""

    at: float
    start: float
    end: float
    step_s: float
    shown: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, what is made of its series, and whether their points are wanted besides the newest value.

    Without a function a counter is read as its rate, and everything else as it is. Rates are over `over_s` seconds, or
    over what fits each series.
    """

    query: Query
    function: Function | None
    window: Window
    points: bool
    over_s: float | None = None

    def function_of(self, series: Found) -> Function | None:
        return self.function or (RATE if series.type == "counter" else None)

    def is_rate_of(self, series: Found) -> bool:
        function = self.function_of(series)
        return function is not None and function.name == "rate"

    def rate_over_s(self, track: Track) -> float:
        return rate.window_s(self.over_s, track.every_s)


def tracks(query: Query, function: Function | None, window: Window, *, points: bool) -> list[Track]:
    """Return the matching series, as `read.window` and `read.tracks` do, with `function` of them as their values.

    `latest` is then the function of all that is shown, or the newest rate, at the time of the newest sample. Each point
    of a rate is over its step, or over the window of rates where that is longer.
    """
    return together([Asked(query, function, window, points)], window.at)[0]


def together(asked: Sequence[Asked], at: float) -> list[list[Track]]:
    """Return what `tracks` does for each of `asked`, all as of `at`, having asked the database for all at once."""
    asked = [replace(ask, window=_in_milliseconds(ask.window)) for ask in asked]
    chosen = find([one.query for one in asked])
    plain = [[one for one in found if ask.function_of(one) is None] for ask, found in zip(asked, chosen, strict=True)]
    drawn = read.points(
        [
            Wanted(found if ask.points else [], ask.window.start, ask.window.end, ask.window.step_s)
            for ask, found in zip(asked, plain, strict=True)
        ],
        at,
    )
    seen = read.seen({one.pk: one for found in chosen for one in found}.values(), at)
    values = _calculated(asked, chosen, seen, at)
    return [
        [
            _with(seen[one.pk], how, calculated[one.pk], ask.points)
            if (how := ask.function_of(one))
            else replace(seen[one.pk], points=points.get(one.pk, ()))
            for one in found
        ]
        for ask, found, points, calculated in zip(asked, chosen, drawn, values, strict=True)
    ]


def _in_milliseconds(window: Window) -> Window:
    """Return `window` with times in whole milliseconds, as steps have them: none may begin just before its window."""
    start, end, shown = (round(moment * 1000) / 1000 for moment in (window.start, window.end, window.shown))
    return replace(window, start=start, end=end, shown=shown)


Calculated = dict[int, tuple[list[Value], float | None]]
"""By series id, the function of each step, and of all that is shown."""


def _calculated(
    asked: Sequence[Asked], chosen: Sequence[Sequence[Found]], seen: Mapping[int, Track], at: float
) -> list[Calculated]:
    """Return what is calculated for each of `asked`, for those of its series of which something is."""
