"""Reading series: the newest values, and a window of them in steps.

Every function takes its time as an argument, so that a past moment is as drawable as the present one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Avg, F, OuterRef, Subquery

from metrics.models import Sample, Series

CADENCE_SAMPLES = 6
CADENCE_LEAST_S = 30.0
AHEAD_S = 600
"""How far ahead of the server's clock a sample may be and still count as the newest one."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which series: a metric, and label values they must have."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def matches(self, metric: str, labels: Mapping[str, str]) -> bool:
        return metric == self.metric and all(labels.get(name) == value for name, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time (Unix seconds). In a window, the mean of the step that begins at `at`."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Track:
    """One series as seen from one moment.

    `latest` is the newest sample not after that moment, None if there is none. `points` are the steps of
    the window that have samples, oldest first. `every_s` is how often a sample is expected: the source's
    interval, or for what is pushed the longest pause between its newest samples; None while that is unknown.
    """

    metric: str
    labels: Mapping[str, str]
    unit: str
    every_s: float | None
    latest: Point | None
    points: tuple[Point, ...] = ()


def select(query: Query) -> list[Series]:
    """Return the series that match, in a stable order."""
    candidates = Series.objects.filter(metric=query.metric).select_related("source").order_by("id")
    return [series for series in candidates if query.matches(series.metric, series.labels)]


def latest(series: Sequence[Series], at: float) -> dict[int, Point]:
    """Return the newest sample not after `at` (Unix seconds) of each series that has one, by series id."""
    newest = Sample.objects.filter(series=OuterRef("pk"), at_ms__lte=_ms(at)).order_by("-at_ms")
    rows = Series.objects.filter(pk__in=[one.pk for one in series]).annotate(
        newest_at_ms=Subquery(newest.values("at_ms")[:1]), newest_value=Subquery(newest.values("value")[:1])
    )
    return {
        pk: Point(at_ms / 1000, value)
        for pk, at_ms, value in rows.values_list("pk", "newest_at_ms", "newest_value")
        if at_ms is not None
    }


def steps(series: Iterable[Series], start: float, end: float, step_s: float) -> dict[int, tuple[Point, ...]]:
    """Return, by series id, the mean of each step of `step_s` seconds in start ≤ t < end that has samples."""
    step_ms = _ms(step_s)
    rows = (
        Sample.objects.filter(series__in=[one.pk for one in series], at_ms__gte=_ms(start), at_ms__lt=_ms(end))
        .annotate(step=F("at_ms") / step_ms)
        .values_list("series_id", "step")
        .annotate(mean=Avg("value"))
        .order_by("series_id", "step")
    )
    found: dict[int, list[Point]] = defaultdict(list)
    for series_id, step, mean in rows:
        found[series_id].append(Point(step * step_ms / 1000, mean))
    return {series_id: tuple(points) for series_id, points in found.items()}


def tracks(query: Query, at: float) -> list[Track]:
    """Return the matching series with their newest sample as of `at`, without points."""
    return _tracks(select(query), at, {})


def window(query: Query, at: float, start: float, end: float, step_s: float) -> list[Track]:
    """Return the matching series as of `at`, each with the steps of start ≤ t < end."""
    chosen = select(query)
    return _tracks(chosen, at, steps(chosen, start, end, step_s))


def _tracks(chosen: list[Series], at: float, points: Mapping[int, tuple[Point, ...]]) -> list[Track]:
    newest = latest(chosen, at)
    return [
        Track(one.metric, one.labels, one.unit, _every_s(one, at), newest.get(one.pk), points.get(one.pk, ()))
        for one in chosen
    ]


def _every_s(series: Series, at: float) -> float | None:
    if series.source is not None and series.source.every_s is not None:
        return float(series.source.every_s)
    times = list(
        Sample.objects.filter(series=series, at_ms__lte=_ms(at))
        .order_by("-at_ms")
        .values_list("at_ms", flat=True)[:CADENCE_SAMPLES]
    )
    if len(times) < 3:
        return None
    pauses_s = ((newer - older) / 1000 for newer, older in zip(times, times[1:], strict=False))
    return max(CADENCE_LEAST_S, *pauses_s)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
