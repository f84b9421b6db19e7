"""Which series a query means, and what is known about each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform, KeyTransformExact

from metrics.models import Series, Source

SERIES_MOST = 1000
"""Of one query: a label that exploded makes its own widget poor, and not everyone's page slow."""
_FIELDS = (
    "pk",
    "metric",
    "labels",
    "unit",
    "type",
    "expected_every_s",
    "expires_after_s",
    "ahead_s",
    "ended_at_ms",
    "source__every_s",
    "source__cron",
    "source__time_zone",
)


@dataclass(frozen=True, slots=True)
class Query:
    """Which series: a metric, and label values they must have; an empty value means not to have the label."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def matches(self, metric: str, labels: Mapping[str, str]) -> bool:
        return metric == self.metric and all(labels.get(name, "") == value for name, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class Found:
    """A series that a query means.

    A sample counts from its own time on, and `ahead_s` seconds earlier if the sender's clock is ahead by so much.
    `schedule` is how its source runs: seconds between two runs, or cron and its time zone. The rest is as in `Series`.
    """

    pk: int
    metric: str
    labels: Mapping[str, str]
    unit: str
    type: str
    expected_every_s: float | None
    expires_after_s: float | None
    ahead_s: float
    ended_at_ms: int | None
    schedule: tuple[int | None, str, str] | None

    def said_every_s(self, at: float) -> float | None:
        """Return how many seconds apart samples should come, as far as somebody said; `at` is Unix seconds."""
        if self.expected_every_s or self.schedule is None:
            return self.expected_every_s
        every_s, cron, time_zone = self.schedule
        return Source(every_s=every_s, cron=cron, time_zone=time_zone).expected_every_s(at)

    def until_ms(self, at: float) -> int:
        """Return up to which time its samples count at `at` (Unix seconds); a millisecond later they do not."""
        return round((at + self.ahead_s) * 1000)


def find(query: Query) -> list[Found]:
    """Return the series that match, the oldest `SERIES_MOST` of them, in a stable order."""
    rows = _matching(query).order_by("id").values_list(*_FIELDS)[:SERIES_MOST]
    return [_found(*row) for row in rows]


def of_source(source: int, most: int) -> list[Found]:
    """Return the first `most` series that came from `source`, by metric."""
    rows = Series.objects.filter(source=source).order_by("metric", "id").values_list(*_FIELDS)[:most]
    return [_found(*row) for row in rows]


def _found(*row: Any) -> Found:
    """Make a series of the values of `_FIELDS`; without a source, its schedule is None."""
    told: tuple[Any, ...] = (*row[:-3], None if row[-2] is None else row[-3:])
    return Found(*told)


def _matching(query: Query) -> QuerySet[Series]:
    found = Series.objects.filter(metric=query.metric)
    given = {name: value for name, value in query.labels.items() if value}
    if given and connection.vendor == "postgresql":
        found = found.filter(labels__contains=given)
    elif given:
        for name, value in given.items():
            found = found.filter(KeyTransformExact(KeyTransform(name, "labels"), json.dumps(value)))
    for name in query.labels.keys() - given.keys():
        found = found.exclude(Q(labels__has_key=name))
    return found
