"""Reading series: the newest values, and a window of them in steps.

Every function takes its time as an argument, so that a past moment is as drawable as the present one.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import TypeVar

from metrics.series import step_cache
from metrics.series.find import Found, Query, find, of_source
from metrics.series.newest import newest
from metrics.series.step_cache import Point, Window, means
from metrics.series.steps import Step

CADENCE_SAMPLES = 6
CADENCE_LEAST_S = 30.0
GAP_STEPS = 2.5


@dataclass(frozen=True, slots=True)
class Track:
    """One series as seen from one moment.

    `latest` is the newest sample not after that moment, None if there is none, or it lapsed. `points` are the steps of
    the window that have samples, oldest first; `before` is the last one before them, where it was asked for and is near
    enough to hold on at the beginning of the window. `every_s` is how often a sample is expected: what the
    samples themselves said, else the source's schedule, else the longest pause but one between the newest samples;
    None while that is unknown. `ahead_s` is by how much its sender's clock is ahead of the server's. If `per_step`,
    points tell how much came in their step, as increases and counts do: a step without samples has 0, and not the
    value before.
    """

    metric: str
    labels: Mapping[str, str]
    unit: str
    every_s: float | None
    latest: Point | None
    points: tuple[Point, ...] = ()
    before: Point | None = None
    ahead_s: float = 0.0
    per_step: bool = False

    @property
    def came_at(self) -> float:
        """When the newest sample came, in Unix seconds by the server's clock, or up to 3 s earlier; -inf without one.

        It is never later than the moment that the series is seen from.
        """
        return -math.inf if self.latest is None else self.latest.at - self.ahead_s


@dataclass(frozen=True, slots=True)
class Wanted:
    """The steps of `step_s` with start ≤ t < end of the series `chosen`. Unix seconds.

    `before` says, by series id, how many steps before `start` are wanted too. If `extremes`, points have the least and
    the greatest sample of their step.
    """

    chosen: Sequence[Found]
    start: float
    end: float
    step_s: float
    before: Mapping[int, int] = field(default_factory=dict)
    extremes: bool = False

    def start_of(self, series: Found) -> float:
        """Return where the steps of `series` begin."""
        return self.start - self.before.get(series.pk, 0) * self.step_s


def longest_step(step_s: float, every_s: float | None) -> float:
    """Return the distance in seconds between two points beyond which there is a gap between them."""
    return GAP_STEPS * max(step_s, every_s or 0.0)


def tracks(query: Query, at: float, hidden: Collection[int] = ()) -> list[Track]:
    """Return the matching series with their newest sample as of `at`, without points, but for those of `hidden`."""
    (chosen,) = find([query], hidden)
    return list(seen(chosen, at).values())


def tracks_of(source: int, most: int, at: float) -> list[Track]:
    """Return the first `most` series that came from `source`, by metric, as `tracks` does."""
    return list(seen(of_source(source, most), at).values())


def window(query: Query, at: float, start: float, end: float, step_s: float) -> list[Track]:
    """Return the matching series as of `at`, each with the steps of start ≤ t < end that are not after `at`."""
    (chosen,) = find([query])
    (drawn,) = points([Wanted(chosen, start, end, step_s)], at)
    return [replace(track, points=drawn.get(pk, ())) for pk, track in seen(chosen, at).items()]


def seen(chosen: Iterable[Found], at: float) -> dict[int, Track]:
    """Return the series `chosen` with their newest samples as of `at`, by id and in their order, without points."""
    every_s = {one.pk: one.said_every_s(at) for one in chosen}
    said = {one.pk: one.until_ms(at) for one in chosen if every_s[one.pk] is not None}
    unsaid = {one.pk: one.until_ms(at) for one in chosen if every_s[one.pk] is None}
    samples = newest(said, 1) | newest(unsaid, CADENCE_SAMPLES)
    for pk in unsaid:
        every_s[pk] = _usual_pause([at_ms for at_ms, _ in samples.get(pk, [])])
    return {
        one.pk: Track(
            one.metric,
            one.labels,
            one.unit,
            every_s[one.pk],
            _latest(one, samples.get(one.pk, []), at),
            ahead_s=one.ahead_s,
        )
        for one in chosen
    }


def points(wanted: Sequence[Wanted], at: float) -> list[dict[int, tuple[Point, ...]]]:
    """Return, for each of `wanted`, the means of its steps by series id, as of `at`, asking for all of them at once."""
    found: list[dict[int, tuple[Point, ...]]] = [{} for _ in wanted]
    for extremes in (False, True):
        places = [place for place, one in enumerate(wanted) if one.extremes == extremes]
        shared = _shared([wanted[place] for place in places], at, partial(means, extremes=extremes))
        for place, by_id in zip(places, shared, strict=True):
            found[place] = {pk: tuple(points) for pk, points in by_id.items()}
    return found


def steps(wanted: Sequence[Wanted], at: float) -> list[dict[int, list[Step]]]:
    """Return the same with all that there is to tell of each step, and not only the mean."""
    return _shared(wanted, at, step_cache.steps)


Timed = TypeVar("Timed", Point, Step)


def _shared(
    wanted: Sequence[Wanted], at: float, ask: Callable[[Mapping[int, Window], int], dict[int, list[Timed]]]
) -> list[dict[int, list[Timed]]]:
    """Return what `ask` has for each of `wanted`; of two with the same steps, from where the earlier one begins."""
    windows: dict[tuple[int, ...], dict[int, Window]] = defaultdict(dict)
    for one in wanted:
        of_grid = windows[_grid(one)]
        for series in one.chosen:
            start_ms = _ms(one.start_of(series))
            if series.pk in of_grid:
                start_ms = min(start_ms, of_grid[series.pk].start_ms)
            end_ms = min(_ms(one.end), series.until_ms(at) + 1)
            of_grid[series.pk] = Window(start_ms, end_ms, series.revision, _ms(one.start))
    found = {grid: ask(of_grid, grid[0]) for grid, of_grid in windows.items()}
    return [
        {series.pk: _since(found[_grid(one)].get(series.pk, []), one.start_of(series)) for series in one.chosen}
        for one in wanted
    ]


def _grid(one: Wanted) -> tuple[int, ...]:
    return _ms(one.step_s), _ms(one.start), _ms(one.end)


def _since(found: list[Timed], start: float) -> list[Timed]:
    """Return what of `found` is not before `start`; a step begins in whole milliseconds, and `start` may not."""
    start = _ms(start) / 1000
    if not found or found[0].at >= start:
        return found
    return found[bisect_left(found, start, key=lambda one: one.at) :]


def _latest(series: Found, samples: list[tuple[int, float]], at: float) -> Point | None:
    """Return the newest of `samples` that still counts at `at`: neither lapsed, nor from before the series ended."""
    if not samples:
        return None
    at_ms, value = samples[0]
    if series.expires_after_s is not None and series.until_ms(at - series.expires_after_s) >= at_ms:
        return None
    if series.ended_at_ms is not None and at_ms <= series.ended_at_ms <= series.until_ms(at):
        return None
    return Point(at_ms / 1000, value)


def _usual_pause(newest_first: list[int]) -> float | None:
    """Return how far apart, in seconds, samples of these times in milliseconds are; None for fewer than three.

    The longest pause but one: an outage is no habit, and a sender that is a little late now and then is not late.
    """
    if len(newest_first) < 3:
        return None
    pauses_ms = sorted(newer - older for newer, older in pairwise(newest_first))
    return max(CADENCE_LEAST_S, pauses_ms[-2] / 1000)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
