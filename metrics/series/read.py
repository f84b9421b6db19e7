"""Reading series: the newest values, and a window of them in steps.

Every function takes its time as an argument, so that a past moment is as drawable as the present one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from django.db.models import Avg, F, OuterRef, Subquery

from metrics.models import Sample, Series

CADENCE_SAMPLES = 6
CADENCE_LEAST_S = 30.0
SERIES_MOST = 1000
"""Of one query: a label that exploded makes its own widget poor, and not everyone's page slow."""
AHEAD_S = 600
"""How far ahead of the server's clock a sample may be and still count as the newest one."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which series: a metric, and label values they must have; an empty value means not to have the label."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def matches(self, metric: str, labels: Mapping[str, str]) -> bool:
        return metric == self.metric and all(labels.get(name, "") == value for name, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time (Unix seconds). In a window, the mean of the step that begins at `at`."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Track:
    """One series as seen from one moment.

    `latest` is the newest sample not after that moment, None if there is none. `points` are the steps of
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


def select(query: Query) -> list[Series]:
    """Return the series that match, the oldest `SERIES_MOST` of them, in a stable order."""
    candidates = Series.objects.filter(metric=query.metric).select_related("source").order_by("id").iterator()
    return list(islice((one for one in candidates if query.matches(one.metric, one.labels)), SERIES_MOST))


def latest(series: Sequence[Series], at: float) -> dict[int, Point]:
    """Return the newest sample not after `at` (Unix seconds) of each series that has one, by series id.

    A series that had ended by then has none.
    """
    newest = Sample.objects.filter(series=OuterRef("pk"), at_ms__lte=_ms(at)).order_by("-at_ms")
    rows = Series.objects.filter(pk__in=[one.pk for one in series]).annotate(
        newest_at_ms=Subquery(newest.values("at_ms")[:1]), newest_value=Subquery(newest.values("value")[:1])
    )
    ended = {one.pk: one.ended_at_ms for one in series if one.ended_at_ms is not None and one.ended_at_ms <= _ms(at)}
    return {
        pk: Point(at_ms / 1000, value)
        for pk, at_ms, value in rows.values_list("pk", "newest_at_ms", "newest_value")
        if at_ms is not None and at_ms > ended.get(pk, -1)
    }


def steps(series: Iterable[Series], start: float, end: float, step_s: float) -> dict[int, tuple[Point, ...]]:
    """Return, by series id, the mean of each step of `step_s` seconds from `start` on that has samples; t < end."""
    start_ms, step_ms = _ms(start), _ms(step_s)
    rows = (
        Sample.objects.filter(series__in=[one.pk for one in series], at_ms__gte=start_ms, at_ms__lt=_ms(end))
        .annotate(step=(F("at_ms") - start_ms) / step_ms)
        .values_list("series_id", "step")
        .annotate(mean=Avg("value"))
        .order_by("series_id", "step")
    )
    found: dict[int, list[Point]] = defaultdict(list)
    for series_id, step, mean in rows:
        found[series_id].append(Point((start_ms + step * step_ms) / 1000, mean))
    return {series_id: tuple(points) for series_id, points in found.items()}


def tracks(query: Query, at: float) -> list[Track]:
    """Return the matching series with their newest sample as of `at`, without points."""
    return _tracks(select(query), at, {})


def window(query: Query, at: float, start: float, end: float, step_s: float) -> list[Track]:
    """Return the matching series as of `at`, each with the steps of start ≤ t < end that are not after `at`."""
    chosen = select(query)
    return _tracks(chosen, at, steps(chosen, start, min(end, at + 0.001), step_s))


def _tracks(chosen: list[Series], at: float, points: Mapping[int, tuple[Point, ...]]) -> list[Track]:
    newest = latest(chosen, at)
    every_s = _every_s(chosen, at)
    return [
        Track(one.metric, one.labels, one.unit, every_s.get(one.pk), newest.get(one.pk), points.get(one.pk, ()))
        for one in chosen
    ]


def _every_s(chosen: list[Series], at: float) -> dict[int, float]:
    """Return how often a sample of each series is expected, in seconds, as far as that is known."""
    known = {one.pk: every_s for one in chosen if (every_s := _said(one, at)) is not None}
    unknown = [one.pk for one in chosen if one.pk not in known]
    return known | _usual_pauses(unknown, at) if unknown else known


def _said(series: Series, at: float) -> float | None:
    return series.expected_every_s or (series.source.expected_every_s(at) if series.source else None)


def _usual_pauses(ids: list[int], at: float) -> dict[int, float]:
    """Return how far apart, in seconds, the newest samples of each series are that has three or more.

    The longest pause but one: an outage is no habit, and a sender that is a little late now and then is not late.
    """
    newest = Sample.objects.filter(series=OuterRef("pk"), at_ms__lte=_ms(at)).order_by("-at_ms").values("at_ms")
    times = {f"at_{n}": Subquery(newest[n : n + 1]) for n in range(CADENCE_SAMPLES)}
    found = {}
    for pk, *newest_first in Series.objects.filter(pk__in=ids).annotate(**times).values_list("pk", *times):
        known = [at_ms for at_ms in newest_first if at_ms is not None]
        if len(known) >= 3:
            pauses_ms = sorted(newer - older for newer, older in pairwise(known))
            found[pk] = max(CADENCE_LEAST_S, pauses_ms[-2] / 1000)
    return found


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
