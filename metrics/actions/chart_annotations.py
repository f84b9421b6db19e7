"""Annotations for charts and lists, cached by each process until they change."""

from collections.abc import Collection
from functools import partial

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from metrics.access import policy
from metrics.access.policy import Teams
from metrics.actions.fact_cache import FactCache
from metrics.models import Annotation
from metrics.times import datetime_of, seconds_of
from metrics.widgets.annotated import Noted, chosen

BACK_S = 367 * 86_400.0
"""The longest time that a widget shows."""
AHEAD_S = 2 * 86_400.0
CACHED_S = 60.0
MOST = 1000
"""The newest ones of those for everyone, and of each team."""


def on(teams: Teams, tags: Collection[str], at: float) -> list[Noted]:
    """Return the annotations with one of `tags` that charts may show now, which is `at`, to those who see `teams`.

    That is no query most of the time.
    """
    return policy.for_readers(chosen(_cache.get(at, partial(_read, at)), tags), teams) if tags else []


def on_at(teams: Teams, tags: Collection[str], at: float) -> list[Noted]:
    """Return the annotations that charts of a time of the past may show."""
    return policy.for_readers(chosen(_read(at), tags), teams) if tags else []


def forget() -> None:
    """Remember nothing any more."""
    _cache.forget()


def _read(at: float) -> tuple[Noted, ...]:
    then = Annotation.objects.filter(at__gt=datetime_of(max(0.0, at - BACK_S)), at__lt=datetime_of(at + AHEAD_S))
    newest = then.filter(for_everyone=True).order_by("-at", "-pk")[:MOST]
    place = Window(RowNumber(), F("teams"), ["-at", "-pk"])
    of_teams = then.filter(for_everyone=False, teams__isnull=False).annotate(place=place).filter(place__lte=MOST)
    rows = Annotation.objects.filter(Q(pk__in=newest.values("pk")) | Q(pk__in=of_teams.order_by().values("pk")))
    return tuple(
        Noted(
            id=row.pk,
            at=seconds_of(row.at),
            until=seconds_of(row.until),
            text=row.text,
            tags=tuple(one.tag for one in row.tagged.all()),
            for_everyone=row.for_everyone,
            teams=frozenset(team.pk for team in row.teams.all()),
        )
        for row in rows.order_by("-at", "-pk").prefetch_related("tagged", "teams")
    )


_cache = FactCache[tuple[Noted, ...]]("annotations", CACHED_S)
