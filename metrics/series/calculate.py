"""Series with a function of theirs in the place of their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from metrics.series import raw, read
from metrics.series.find import Found, Query, find
from metrics.series.functions import Function, Value, by_step, overall, quantile
from metrics.series.read import Point, Step, Track, Wanted

RATE = Function("rate")
LOOKBACK_STEPS = 3
"""The first step of a window needs one before it to have grown from; steps without samples are not to cut that off."""
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

    Without a function a counter is read as its rate, and everything else as it is.
    """

    query: Query
    function: Function | None
    window: Window
    points: bool

    def function_of(self, series: Found) -> Function | None:
        return self.function or (RATE if series.type == "counter" else None)


def tracks(query: Query, function: Function | None, window: Window, *, points: bool) -> list[Track]:
    """Return the matching series, as `read.window` and `read.tracks` do, with `function` of them as their values.

    `latest` is then the function of all that is shown, or the newest rate, at the time of the newest sample.
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
    values = _calculated(asked, chosen, at)
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


def _calculated(asked: Sequence[Asked], chosen: Sequence[Sequence[Found]], at: float) -> list[Calculated]:
    """Return what is calculated for each of `asked`, for those of its series of which something is."""
    steps = read.steps(
        [
            Wanted(
                [one for one in found if (function := ask.function_of(one)) and function.name != "quantile"],
                ask.window.start - LOOKBACK_STEPS * ask.window.step_s,
                ask.window.end,
                ask.window.step_s,
            )
            for ask, found in zip(asked, chosen, strict=True)
        ],
        at,
    )
    return [_of_one(*one) for one in zip(asked, chosen, steps, strict=True)]


def _of_one(asked: Asked, chosen: Sequence[Found], steps: Mapping[int, Sequence[Step]]) -> Calculated:
    window = asked.window
    functions = {one.pk: function for one in chosen if (function := asked.function_of(one))}
    found: Calculated = dict.fromkeys(functions, ([], None))
    for pk, all_steps in steps.items():
        values = [value for value in by_step(functions[pk], all_steps) if value[0] >= window.start]
        shown = [step for step in all_steps if step.at >= window.shown]
        before = [step for step in all_steps if step.at < window.shown][-1:]
        found[pk] = values, overall(functions[pk], before + shown if _grows(functions[pk]) else shown)
    quantiles = [one for one in chosen if one.pk in functions and functions[one.pk].name == "quantile"]
    for pk, samples in _samples(quantiles, window).items():
        q = functions[pk].q
        of_shown = [value for at, value in samples if at >= window.shown]
        found[pk] = _quantiles(samples, q, window), quantile(of_shown, q) if of_shown else None
    return found


def _grows(function: Function) -> bool:
    return function.name in ("rate", "increase")


def _samples(chosen: Sequence[Found], window: Window) -> dict[int, list[Value]]:
    """Return what quantiles are of, by series id."""
    length_s = window.end - window.shown
    if length_s <= EVERY_SAMPLE_S:
        return {
            one.pk: [
                (at_ms / 1000, value) for at_ms, value in raw.samples([one.pk], *_limits(window, one)).get(one.pk, [])
            ]
            for one in chosen
        }
    grain_s = 60.0 if length_s <= MINUTES_S else 3600.0
    (steps,) = read.points([Wanted(chosen, window.start, window.end, grain_s)], window.at)
    return {pk: [(step.at, step.value) for step in found] for pk, found in steps.items()}


def _limits(window: Window, series: Found) -> tuple[int, int]:
    return round(window.start * 1000), min(round(window.end * 1000), series.until_ms(window.at) + 1)


def _quantiles(samples: Iterable[Value], q: float, window: Window) -> list[Value]:
    by_number: dict[int, list[float]] = {}
    for at, value in samples:
        by_number.setdefault(int((at - window.start) // window.step_s), []).append(value)
    return [(window.start + number * window.step_s, quantile(some, q)) for number, some in sorted(by_number.items())]


def _with(track: Track, function: Function, calculated: tuple[Sequence[Value], float | None], points: bool) -> Track:
    values, value = calculated
    return replace(
        track,
        unit=_unit(track.unit, function),
        points=tuple(Point(*point) for point in values) if points else (),
        latest=None if value is None or track.latest is None else Point(track.latest.at, value),
    )


def _unit(word: str, function: Function) -> str:
    """Return the unit of a function of values in `word`."""
    if function.name not in ("rate", "count"):
        return word
    if function.name == "count":
        return ""
    if word == "bytes":
        return "bytes_per_second"
    return "ratio" if word == "seconds" else f"{word}/s"[:20] if word else "/s"
