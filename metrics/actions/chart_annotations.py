"""Annotations for charts and lists: remembered by each process until they change."""

from collections.abc import Collection, Iterable
from functools import partial

from metrics.access import policy
from metrics.actions.remembered import Remembered
from metrics.models import Annotation, AnnotationTag
from metrics.times import datetime_of, seconds_of
from metrics.widgets.annotated import ALL, Noted

BACK_S = 367 * 86_400.0
"""The longest time that a widget shows."""
AHEAD_S = 2 * 86_400.0
REMEMBERED_S = 60.0
MOST = 1000
"""The newest ones for each tag."""


def on(dashboard: int | None, tags: Collection[str], at: float) -> list[Noted]:
    """Return the annotations with one of `tags` that charts of a dashboard (id) may show now, which is `at`.

    That is no query most of the time, and one for the teams of the dashboard if there are annotations of teams.
    """
    return _shown((one for tag in tags for one in _known.get(at, partial(_read, tag, at), tag)), dashboard)


def on_at(dashboard: int | None, tags: Collection[str], at: float) -> list[Noted]:
    """Return the annotations that charts of a time of the past may show."""
    return _shown((one for tag in tags for one in _read(tag, at)), dashboard)


def forget() -> None:
    """Remember nothing any more."""
    _known.forget()


def _shown(found: Iterable[Noted], dashboard: int | None) -> list[Noted]:
    rows = list({one.id: one for one in found}.values())
    teams = frozenset[int]() if all(one.for_everyone for one in rows) else policy.teams_of(dashboard)
    return [one for one in rows if policy.is_for_teams(one.for_everyone, one.teams, teams)]


def _read(tag: str, at: float) -> tuple[Noted, ...]:
    rows = Annotation.objects.filter(at__lt=datetime_of(at + AHEAD_S), at__gt=datetime_of(max(0.0, at - BACK_S)))
    if tag != ALL:
        rows = rows.filter(pk__in=AnnotationTag.objects.filter(tag=tag).order_by().values("annotation_id"))
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
        for row in rows.order_by("-at", "-pk").prefetch_related("tagged", "teams")[:MOST]
    )


_known = Remembered[tuple[Noted, ...]]("annotations", REMEMBERED_S)
