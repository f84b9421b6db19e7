"""Series with a function of theirs in the place of their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from metrics.series import raw, read
from metrics.series.find import Found, Query, find
from metrics.series.functions import Function, Value, by_step, overall, quantile
from metrics.series.read import Point, Track

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


def tracks(query: Query, function: Function | None, window: Window, *, points: bool) -> list[Track]:
    """Return the matching series, as `read.window` and `read.tracks` do, with `function` of them as their values.

    Without a function a counter is read as its rate, and everything else as it is. `latest` is then the function of
    all that is shown, or the newest rate, at the time of the newest sample. Without `points` there is only that.
    """
    chosen = find(query)
    how = {one.pk: function or (RATE if one.type == "counter" else None) for one in chosen}
    plain = [one for one in chosen if how[one.pk] is None]
    drawn = read.points(plain, window.at, window.start, window.end, window.step_s) if points else {}
    found = dict(zip((one.pk for one in chosen), read.as_tracks(chosen, window.at, drawn), strict=True))
    counted = [one for one in chosen if how[one.pk] is not None]
    for pk, (values, value) in _calculated(counted, how, window).items():
        found[pk] = _with(found[pk], how[pk], values if points else (), value)
    return list(found.values())


def _calculated(
    chosen: Sequence[Found], how: Mapping[int, Function | None], window: Window
) -> dict[int, tuple[list[Value], float | None]]:
    """Return, by series id, the function of each step and of all that is shown."""
    functions = {pk: function for pk, function in how.items() if function}
    quantiles = [one for one in chosen if functions[one.pk].name == "quantile"]
    others = [one for one in chosen if functions[one.pk].name != "quantile"]
    begin = window.start - LOOKBACK_STEPS * window.step_s
    steps = read.steps(others, window.at, begin, window.end, window.step_s)
    found: dict[int, tuple[list[Value], float | None]] = {one.pk: ([], None) for one in chosen}
    for pk, all_steps in steps.items():
        values = [value for value in by_step(functions[pk], all_steps) if value[0] >= window.start]
        shown = [step for step in all_steps if step.at >= window.shown]
        before = [step for step in all_steps if step.at < window.shown][-1:]
        found[pk] = values, overall(functions[pk], before + shown if _grows(functions[pk]) else shown)
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
    steps = read.steps(chosen, window.at, window.start, window.end, grain_s)
    return {pk: [(step.at, step.mean) for step in found] for pk, found in steps.items()}


def _limits(window: Window, series: Found) -> tuple[int, int]:
    return round(window.start * 1000), min(round(window.end * 1000), series.until_ms(window.at) + 1)


def _quantiles(samples: Iterable[Value], q: float, window: Window) -> list[Value]:
    by_number: dict[int, list[float]] = {}
    for at, value in samples:
        by_number.setdefault(int((at - window.start) // window.step_s), []).append(value)
    return [(window.start + number * window.step_s, quantile(some, q)) for number, some in sorted(by_number.items())]


def _with(track: Track, function: Function | None, values: Sequence[Value], value: float | None) -> Track:
    return replace(
        track,
        unit=_unit(track.unit, function),
        points=tuple(Point(*point) for point in values),
        latest=None if value is None or track.latest is None else Point(track.latest.at, value),
    )


def _unit(word: str, function: Function | None) -> str:
    """Return the unit of a function of values in `word`."""
    if function is None or function.name not in ("rate", "count"):
        return word
    if function.name == "count":
        return ""
    if word == "bytes":
        return "bytes_per_second"
    return "ratio" if word == "seconds" else f"{word}/s"[:20] if word else "/s"
