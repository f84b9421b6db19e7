"""Stored series: how many there are, which labels make them so many, and how far history is kept."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_current_timezone
from django.views.decorators.http import require_safe

from metrics.access.policy import SEE, hidden_from
from metrics.access.principal import of_visitor
from metrics.models import Chunk, HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Sample, Series
from metrics.series import keep
from metrics.series.keep import Label
from metrics.views import explore, humanize
from metrics.views.access import page_for
from metrics.widgets import units
from metrics.widgets.units import Shown

LISTED = 20
LABELS_LISTED = 4
WARN_SHARE, CRITICAL_SHARE = 0.8, 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """So many series of those there may be: `count` of `limit`; `level` is ok, warn or critical.

    `name` is that of the source, `id` its number.
    """

    count: int
    limit: int
    name: str = ""
    id: int = 0

    @property
    def words(self) -> str:
        return f"{units.digits(self.count, 0)} of {units.digits(self.limit, 0)}"

    @property
    def level(self) -> str:
        share = self.count / self.limit
        return "critical" if share >= CRITICAL_SHARE else "warn" if share >= WARN_SHARE else "ok"


@dataclass(frozen=True, slots=True)
class Largest:
    """A metric: its `name`, how many `series` it has, and its `labels`, the one with most values first.

    `more` is how many labels are not named, `address` that of the page that draws it.
    """

    name: str
    series: int
    labels: tuple[Label, ...]
    more: int

    @property
    def address(self) -> str:
        return explore.address_of(self.name)


@dataclass(frozen=True, slots=True)
class Kept:
    """A tier: its `name`, its `size` on the disk (None where nobody knows), how long it is `kept`, and `until` when.

    `until` is None for what is not made of anything else, or was not made yet.
    """

    name: str
    size: Shown | None
    kept: str
    until: datetime | None


@require_safe
@page_for(SEE, Series)
def index(request: HttpRequest) -> HttpResponse:
    """The largest sources, metrics and labels, and the tiers."""
    hidden = hidden_from(of_visitor(request))
    context = {
        "total": Share(Series.objects.count(), settings.SERIES_TOTAL),
        "sources": [
            Share(count, settings.SERIES_PER_SOURCE, source.name, source.pk)
            for source, count in keep.largest_sources(LISTED, hidden)
        ],
        "metrics": [
            Largest(one.name, one.series, one.labels[:LABELS_LISTED], max(0, len(one.labels) - LABELS_LISTED))
            for one in keep.largest_metrics(LISTED, hidden)
        ],
        "kept": _kept(),
        "late": Late.objects.count(),
        "now_time": _moment(time.time() * 1000),
    }
    return render(request, "series/page.html", context)


def _kept() -> list[Kept]:
    far = keep.all_until_ms()
    raw_s, minute_s = settings.RAW_RETENTION_HOURS * 3600, settings.MINUTE_RETENTION_DAYS * 86_400
    hour_s = settings.HOUR_RETENTION_DAYS * 86_400
    return [
        Kept("Samples, a row each", _size(Sample), humanize.age(raw_s), None),
        Kept("Samples, packed", _size(Chunk), humanize.age(raw_s), _moment(far.get(keep.PACKED))),
        Kept("Minutes, a row each", _size(MinuteRollup), humanize.age(minute_s), _moment(far.get(keep.MINUTES))),
        Kept("Minutes, packed", _size(MinuteChunk), humanize.age(minute_s), _moment(far.get(keep.MINUTES_PACKED))),
        Kept("Hours, a row each", _size(HourRollup), humanize.age(hour_s), _moment(far.get(keep.HOURS))),
        Kept("Hours, packed", _size(HourChunk), humanize.age(hour_s), _moment(far.get(keep.HOURS_PACKED))),
    ]


def _size(table: type[Sample | Chunk | MinuteRollup | MinuteChunk | HourRollup | HourChunk]) -> Shown | None:
    """Return how much room a table and its index take; SQLite does not say."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [table._meta.db_table])
        return units.show(float(cursor.fetchone()[0]), "bytes")


def _moment(at_ms: float | None) -> datetime | None:
    return datetime.fromtimestamp(at_ms / 1000, get_current_timezone()) if at_ms else None
