"""Tracks of series: each series with its values, or with a function of them."""

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from metrics.series import rate, raw, reader
from metrics.series.find import Found, Query, find
from metrics.series.find import of_ids as find_ids
from metrics.series.functions import PER_STEP, Function, Value, by_step, overall, quantile
from metrics.series.reader import Track, Wanted
from metrics.series.step_cache import Point
from metrics.series.steps import Step

RATE = Function("rate")
EVERY_SAMPLE_S = 6 * 3600
MINUTES_S = 24 * 3600
"""Quantiles are of every sample in windows up to the first, of the means of minutes up to the second, else of hours."""

PART = 2000
"""So many series are read at a time where all are wanted."""

BACK_MOST_S = 3 * 24 * 3600
"""How far before a window its series are read at most, so that daily ones have a value where it begins."""


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
    over what fits each series. `every_s` is how often samples are expected, where that is said for the query. If
    `extremes`, means have the least and the greatest of their samples with them.
    """

    query: Query
    function: Function | None
    window: Window
    points: bool
    over_s: float | None = None
    every_s: float | None = None
    extremes: bool = False

    def function_of(self, series: Found) -> Function | None:
        return self.function or (RATE if series.type == "counter" else None)

    def is_rate_of(self, series: Found) -> bool:
        function = self.function_of(series)
        return function is not None and function.name == "rate"

    def rate_over_s(self, track: Track) -> float:
        return rate.window_s(self.over_s, track.every_s)

    def before(self, series: Found, track: Track) -> int:
        """Return how many steps of `series` to read before the window: as a rate reaches back, and as a point holds on.

        It is a power of two, so that series that come now and then are read from the same few moments.
        """
        step_s = self.window.step_s
        back_s = self.rate_over_s(track) if self.is_rate_of(series) else 0.0
        if self.points:
            back_s += min(BACK_MOST_S, reader.longest_step(step_s, self.every_s or track.every_s))
        return 1 << (math.ceil(back_s / step_s) - 1).bit_length() if back_s else 0


def tracks(query: Query, function: Function | None, window: Window, *, points: bool) -> list[Track]:
    """Return the matching series, as `reader.window` and `reader.tracks` do, with `function` of them as their values.

    `latest` is then the function of all that is shown, or the newest rate, at the time of the newest sample. Each point
    of a rate is over its step, or over the window of rates where that is longer.
    """
    return tracks_of_all([Asked(query, function, window, points)], window.at)[0]


def tracks_of_all(asked: Sequence[Asked], at: float, hidden: Collection[int] = ()) -> list[list[Track]]:
    """Return what `tracks` does for each of `asked`, all as of `at`, having asked the database for all at once.

    Series of the sources `hidden` (ids) are left out.
    """
    return _of_chosen(asked, find([one.query for one in asked], hidden), at)


def in_parts(asked: Sequence[Asked], at: float, hidden: Collection[int] = ()) -> list[list[Track]]:
    """Return what `tracks_of_all` does, of all series however many there are, having read some of them at a time."""
    chosen = find([one.query for one in asked], hidden, most=None)
    return of_chosen(asked, chosen, at)


def of_chosen(asked: Sequence[Asked], chosen: Sequence[Sequence[Found]], at: float) -> list[list[Track]]:
    """Return what `in_parts` does of the series that were `chosen` for each of `asked`."""
    found: list[list[Track]] = [[] for _ in asked]
    part: dict[int, list[Found]] = {}
    room = PART
    for place, of_one in enumerate(chosen):
        begin = 0
        while begin < len(of_one):
            part[place] = list(of_one[begin : begin + room])
            begin, room = begin + room, room - len(part[place])
            if not room:
                _add_part(found, part, asked, at)
                part, room = {}, PART
    _add_part(found, part, asked, at)
    return found


def _add_part(found: list[list[Track]], part: Mapping[int, list[Found]], asked: Sequence[Asked], at: float) -> None:
    tracks = _of_chosen([asked[place] for place in part], list(part.values()), at) if part else []
    for place, some in zip(part, tracks, strict=True):
        found[place] += some


def means(
    wanted: Sequence[tuple[Collection[int], float, float, float]], at: float
) -> list[dict[int, tuple[Point, ...]]]:
    """Return, for each (ids, start, end, seconds of a step), the means of the steps of these series, by id."""
    chosen = {one.pk: one for one in find_ids({pk for ids, *_ in wanted for pk in ids})}
    return reader.points(
        [Wanted([chosen[pk] for pk in ids if pk in chosen], start, end, step_s) for ids, start, end, step_s in wanted],
        at,
    )


def of_ids(ids: Collection[int], window: Window, hidden: Collection[int] = ()) -> dict[int, Track]:
    """Return the series with these ids, by id and with points, as a widget shows them that asks for no function."""
    chosen = find_ids(ids, hidden)
    (found,) = _of_chosen([Asked(Query(""), None, window, points=True)], [chosen], window.at)
    return {one.pk: track for one, track in zip(chosen, found, strict=True)}


def _of_chosen(asked: Sequence[Asked], chosen: Sequence[list[Found]], at: float) -> list[list[Track]]:
    """Return the series that were `chosen` for each of `asked`."""
    asked = [replace(ask, window=_in_milliseconds(ask.window)) for ask in asked]
    plain = [[one for one in found if ask.function_of(one) is None] for ask, found in zip(asked, chosen, strict=True)]
    seen = reader.seen({one.pk: one for found in chosen for one in found}.values(), at)
    drawn = reader.points(
        [_wanted(ask, found if ask.points else [], seen) for ask, found in zip(asked, plain, strict=True)], at
    )
    values = _calculated(asked, chosen, seen, at)
    return [
        [
            _with(seen[one.pk], how, calculated[one.pk], ask)
            if (how := ask.function_of(one))
            else _drawn(seen[one.pk], points.get(one.pk, ()), ask.window)
            for one in found
        ]
        for ask, found, points, calculated in zip(asked, chosen, drawn, values, strict=True)
    ]


def _in_milliseconds(window: Window) -> Window:
    """Return `window` with times in whole milliseconds, as steps have them: none may begin just before its window."""
    start, end, shown = (round(moment * 1000) / 1000 for moment in (window.start, window.end, window.shown))
    return replace(window, start=start, end=end, shown=shown)


Calculated = dict[int, tuple[list[Point], float | None]]
"""By series id, the function of each step, and of all that is shown."""


def _calculated(
    asked: Sequence[Asked], chosen: Sequence[Sequence[Found]], seen: Mapping[int, Track], at: float
) -> list[Calculated]:
    """Return what is calculated for each of `asked`, for those of its series of which something is."""
    both = list(zip(asked, chosen, strict=True))
    steps = reader.steps([_wanted(ask, _in_steps(ask, found), seen) for ask, found in both], at)
    rated = {(one.pk, ask.over_s): one for ask, found in both for one in found if ask.is_rate_of(one)}
    newest = rate.newest_rates(rated, seen, at)
    return [_of_one(ask, found, seen, of_all, newest) for (ask, found), of_all in zip(both, steps, strict=True)]


def _in_steps(asked: Asked, chosen: Sequence[Found]) -> list[Found]:
    """Return those of `chosen` made of these steps: no quantiles, nor newest rates, which have steps of their own."""
    skipped = ("quantile",) if asked.points else ("quantile", "rate")
    return [one for one in chosen if (function := asked.function_of(one)) and function.name not in skipped]


def _wanted(asked: Asked, chosen: Sequence[Found], seen: Mapping[int, Track]) -> Wanted:
    window = asked.window
    before = {one.pk: asked.before(one, seen[one.pk]) for one in chosen}
    return Wanted(chosen, window.start, window.end, window.step_s, before, asked.extremes)


def _of_one(
    asked: Asked,
    chosen: Sequence[Found],
    seen: Mapping[int, Track],
    steps: Mapping[int, Sequence[Step]],
    newest: Mapping[rate.Wish, float],
) -> Calculated:
    window = asked.window
    functions = {one.pk: function for one in chosen if (function := asked.function_of(one))}
    found: Calculated = {pk: ([], newest.get((pk, asked.over_s))) for pk in functions}
    for pk, all_steps in steps.items():
        values = _of_steps(functions[pk], all_steps, asked, seen[pk])
        shown = [step for step in all_steps if step.at >= window.shown]
        found[pk] = values, found[pk][1] if functions[pk].name == "rate" else overall(functions[pk], shown)
    quantiles = [one for one in chosen if one.pk in functions and functions[one.pk].name == "quantile"]
    for pk, samples in _samples(quantiles, _wanted(asked, quantiles, seen), window).items():
        q = functions[pk].q
        of_shown = [value for at, value in samples if at >= window.shown]
        found[pk] = _quantiles(samples, q, window), quantile(of_shown, q) if of_shown else None
    return found


def _of_steps(function: Function, steps: Sequence[Step], asked: Asked, track: Track) -> list[Point]:
    if function.name == "avg" and asked.extremes:
        return [Point(step.at, step.mean, step.min, step.max) for step in steps]
    return [Point(*value) for value in by_step(function, steps, asked.rate_over_s(track))]


def _samples(chosen: Sequence[Found], wanted: Wanted, window: Window) -> dict[int, list[Value]]:
    """Return what quantiles are of, by series id."""
    length_s = window.end - window.shown
    if length_s <= EVERY_SAMPLE_S:
        return {
            one.pk: [
                (at_ms / 1000, value)
                for at_ms, value in raw.samples([one.pk], *_limits(wanted, one, window.at)).get(one.pk, [])
            ]
            for one in chosen
        }
    grain_s = 60.0 if length_s <= MINUTES_S else 3600.0
    before = {pk: math.ceil(count * window.step_s / grain_s) for pk, count in wanted.before.items()}
    (steps,) = reader.points([Wanted(chosen, window.start, window.end, grain_s, before)], window.at)
    return {pk: [(step.at, step.value) for step in found] for pk, found in steps.items()}


def _limits(wanted: Wanted, series: Found, at: float) -> tuple[int, int]:
    return round(wanted.start_of(series) * 1000), min(round(wanted.end * 1000), series.until_ms(at) + 1)


def _quantiles(samples: Iterable[Value], q: float, window: Window) -> list[Point]:
    by_number: dict[int, list[float]] = {}
    for at, value in samples:
        by_number.setdefault(int((at - window.start) // window.step_s), []).append(value)
    ordered = sorted(by_number.items())
    return [Point(window.start + number * window.step_s, quantile(some, q)) for number, some in ordered]


def _with(track: Track, function: Function, calculated: tuple[Sequence[Point], float | None], asked: Asked) -> Track:
    points, value = calculated
    return replace(
        _drawn(track, points if asked.points else (), asked.window),
        unit=_unit(track.unit, function),
        latest=None if value is None or track.latest is None else Point(track.latest.at, value),
        per_step=function.name in PER_STEP,
    )


def _drawn(track: Track, points: Sequence[Point], window: Window) -> Track:
    """Return `track` with those of `points` that lie in the window, and the last one before it."""
    begin = bisect_left(points, window.start, key=lambda point: point.at)
    return replace(track, points=tuple(points[begin:]), before=points[begin - 1] if begin else None)


def _unit(word: str, function: Function) -> str:
    """Return the unit of a function of values in `word`."""
    if function.name not in ("rate", "count"):
        return word
    if function.name == "count":
        return ""
    if word == "bytes":
        return "bytes_per_second"
    return "ratio" if word == "seconds" else f"{word}/s"[:20] if word else "/s"
