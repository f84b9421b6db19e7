"""Reading series: the newest values, and a window of them in steps.

Every function takes its time as an argument, so that a past moment is as drawable as the present one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from metrics.series.find import SERIES_MOST, Found, Query, find, of_source
from metrics.series.newest import newest
from metrics.series.steps import Step, means
from metrics.series.steps import steps as steps_of

__all__ = [
    "SERIES_MOST",
    "Point",
    "Query",
    "Step",
    "Track",
    "as_tracks",
    "points",
    "steps",
    "tracks",
    "tracks_of",
    "window",
]

CADENCE_SAMPLES = 6
CADENCE_LEAST_S = 30.0


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time (Unix seconds). In a window, the mean of the step that begins at `at`."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Track:
    """One series as seen from one moment.

    `latest` is the newest sample not after that moment, None if there is none, or it lapsed. `points` are the steps of
    the window that have samples, oldest first. `every_s` is how often a sample is expected: what the
    samples themselves said, else the source's schedule, else the longest pause but one between the newest samples;
    None while that is unknown.
    """

    metric: str
    labels: Mapping[str, str]
    unit: str
    every_s: float | None
    latest: Point | None
    points: tuple[Point, ...] = ()


def tracks(query: Query, at: float) -> list[Track]:
    """Return the matching series with their newest sample as of `at`, without points."""
    return as_tracks(find(query), at, {})


def tracks_of(source: int, most: int, at: float) -> list[Track]:
    """Return the first `most` series that came from `source`, by metric, as `tracks` does."""
    return as_tracks(of_source(source, most), at, {})


def window(query: Query, at: float, start: float, end: float, step_s: float) -> list[Track]:
    """Return the matching series as of `at`, each with the steps of start ≤ t < end that are not after `at`."""
    chosen = find(query)
    return as_tracks(chosen, at, points(chosen, at, start, end, step_s))


def points(chosen: Sequence[Found], at: float, start: float, end: float, step_s: float) -> dict[int, tuple[Point, ...]]:
    """Return, by series id, the means of the steps of `window`."""
    return {
        pk: tuple(Point(*point) for point in found)
        for end_ms, ids in _by_end(chosen, at, end).items()
        for pk, found in means(ids, _ms(start), end_ms, _ms(step_s)).items()
    }


def steps(chosen: Sequence[Found], at: float, start: float, end: float, step_s: float) -> dict[int, list[Step]]:
    """Return, by series id, all that `window` would draw from, and not only the means."""
    return {
        pk: found
        for end_ms, ids in _by_end(chosen, at, end).items()
        for pk, found in steps_of(ids, _ms(start), end_ms, _ms(step_s)).items()
    }


def _by_end(chosen: Iterable[Found], at: float, end: float) -> dict[int, list[int]]:
    """Return the ids of the series by where their windows end: most do at one time."""
    ends: dict[int, list[int]] = defaultdict(list)
    for one in chosen:
        ends[min(_ms(end), one.until_ms(at) + 1)].append(one.pk)
    return ends


def as_tracks(chosen: Sequence[Found], at: float, points: Mapping[int, tuple[Point, ...]]) -> list[Track]:
    """Return the series `chosen`, in their order, with the `points` that they are given by their ids."""
    every_s = {one.pk: one.said_every_s(at) for one in chosen}
    said = [one for one in chosen if every_s[one.pk] is not None]
    unsaid = [one for one in chosen if every_s[one.pk] is None]
    samples = _newest(said, at, 1) | _newest(unsaid, at, CADENCE_SAMPLES)
    for one in unsaid:
        every_s[one.pk] = _usual_pause([at_ms for at_ms, _ in samples.get(one.pk, [])])
    return [
        Track(
            one.metric,
            one.labels,
            one.unit,
            every_s[one.pk],
            _latest(one, samples.get(one.pk, []), at),
            points.get(one.pk, ()),
        )
        for one in chosen
    ]


def _newest(chosen: list[Found], at: float, count: int) -> dict[int, list[tuple[int, float]]]:
    return newest({one.pk: one.until_ms(at) for one in chosen}, count)


def _latest(series: Found, samples: list[tuple[int, float]], at: float) -> Point | None:
    """Return the newest of `samples` that still counts at `at`: neither lapsed, nor from before the series ended."""
    if not samples:
        return None
    at_ms, value = samples[0]
    if series.expires_after_s is not None and _ms(at - series.expires_after_s) >= at_ms:
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
