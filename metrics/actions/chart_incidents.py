"""Incidents as annotations for charts and lists: read from their own rows, cached until one changes."""

import math
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db.models import Q

from metrics.access import policy
from metrics.access.policy import Teams
from metrics.actions.chart_annotations import BACK_S
from metrics.actions.fact_cache import FactCache
from metrics.models import Incident
from metrics.times import datetime_of, seconds_of
from metrics.widgets.annotated import ALL, INCIDENT, Noted

CACHED_S = 60.0
MOST = 1000
"""The newest ones."""


def on(teams: Teams, tags: Collection[str], at: float) -> list[Noted]:
    """Return the incidents that charts may show now, which is `at`, to those who see `teams`, if `tags` choose them.

    That is no query most of the time.
    """
    return policy.for_readers(_as_of(at, _cache.get(at, partial(_read, at))), teams) if _are_chosen(tags) else []


def on_at(teams: Teams, tags: Collection[str], at: float) -> list[Noted]:
    """Return the incidents that charts of a time of the past may show; one that ended later was open then."""
    found = _read(at, opened_at__lte=datetime_of(at)) if _are_chosen(tags) else ()
    return policy.for_readers(_as_of(at, found), teams)


def forget() -> None:
    """Remember nothing any more."""
    _cache.forget()


def _are_chosen(tags: Collection[str]) -> bool:
    return ALL in tags or INCIDENT in tags


def _as_of(at: float, found: Iterable[Noted]) -> list[Noted]:
    """Return those of `found` that had begun at a time, as they were then."""
    return [
        replace(one, until=math.inf) if one.until is not None and one.until > at else one
        for one in found
        if one.at <= at
    ]


def _read(at: float, **only: datetime) -> tuple[Noted, ...]:
    """Return the newest incidents that were open in the time before `at`, and those after it."""
    lasting = Q(resolved_at=None) | Q(resolved_at__gt=datetime_of(max(0.0, at - BACK_S)))
    rows = Incident.objects.filter(lasting, **only).order_by("-pk")
    return tuple(
        Noted(
            id=row.pk,
            at=seconds_of(row.opened_at),
            until=seconds_of(row.resolved_at) if row.resolved_at else math.inf,
            text=f"Incident, {row.severity}: {row.title}",
            tags=(INCIDENT,),
            for_everyone=row.for_everyone,
            teams=frozenset(team.pk for team in row.teams.all()),
            severity=row.severity,
        )
        for row in rows.prefetch_related("teams")[:MOST]
    )


_cache = FactCache[tuple[Noted, ...]]("incidents", CACHED_S)
