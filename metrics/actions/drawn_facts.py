"""The things besides series that widgets show: those that not all who look may see, or not the one who adds them.

As with series, a dashboard shows what its teams may see, to everyone who may see the dashboard.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from metrics.access.policy import visible
from metrics.access.principal import Principal, of_dashboard
from metrics.actions import untold
from metrics.actions.chart_annotations import BACK_S
from metrics.models import Annotation, Dashboard, Incident, Rule, Schedule, Team
from metrics.times import datetime_of
from metrics.widgets.alerts import AlertsConfig
from metrics.widgets.annotated import ALL, INCIDENT, Annotates
from metrics.widgets.base import OfFact
from metrics.widgets.on_call import OnCallConfig
from metrics.widgets.untold import UntoldConfig

Rows = QuerySet[Any]


def shows_no_more(config: OfFact[Any], owners: Iterable[Team], by: Principal) -> bool:
    """Return whether `by` may see all that a widget with `config` may ever show on a dashboard of `owners`.

    Those are things of its teams, so `by` has to be in all of them, or have it show only things of a team of theirs, or
    one schedule that they see. Whether there are any just now makes no difference.
    """
    if by.teams is None or {team.pk for team in owners} <= by.teams:
        return True
    if isinstance(config, OnCallConfig) and config.schedule:
        return visible(by, Schedule).filter(name=config.schedule).exists()
    team = config.team if isinstance(config, AlertsConfig | OnCallConfig) else ""
    return Team.objects.filter(name=team, pk__in=by.teams).exists()


def shared_wider(dashboard: Dashboard, configs: Iterable[object], now: float) -> list[str]:
    """Return the nouns of the things that widgets with `configs` show to people who may not see all of them."""
    teams = frozenset(team.pk for team in dashboard.teams.all())
    whole = of_dashboard(dashboard.pk, teams)
    parts = [frozenset[int]()] if dashboard.for_everyone else [frozenset({team}) for team in teams]
    audience = [one for one in (of_dashboard(dashboard.pk, of) for of in parts) if one != whole]
    if not audience:
        return []
    every, found = list(configs), set[str]()
    marked = {tag for config in every if isinstance(config, Annotates) for tag in config.annotations}
    shown = chain(_noted(marked, whole, now), *(_of_fact(config, whole) for config in every))
    for noun, rows in shown:
        if noun not in found and not all(_sees(one, rows) for one in audience):
            found.add(noun)
    return sorted(found)


def _of_fact(config: object, by: Principal) -> Iterator[tuple[str, Rows]]:
    """Yield the things, of those that `by` may see, that a widget with `config` shows at times, each with a noun.

    For alerts, that are their rules: of those, alerts may come.
    """
    if isinstance(config, AlertsConfig):
        yield "alerts", _of_team(visible(by, Rule), config.team)
    elif isinstance(config, OnCallConfig):
        rows = _of_team(visible(by, Schedule), config.team)
        yield "schedules", rows.filter(name=config.schedule) if config.schedule else rows
    elif isinstance(config, UntoldConfig):
        tables = {table for kind in config.of or untold.TABLES for table in untold.TABLES[kind]}
        yield from ((str(table._meta.verbose_name_plural), visible(by, table)) for table in tables)


def _noted(tags: Collection[str], by: Principal, now: float) -> Iterator[tuple[str, Rows]]:
    """Yield the annotations and incidents, of those that `by` may see, that charts with these `tags` mark, likewise."""
    since = datetime_of(now - BACK_S)
    if tags:
        newer = visible(by, Annotation).filter(at__gt=since)
        yield "annotations", newer if ALL in tags else newer.filter(tagged__tag__in=tags)
    if {ALL, INCIDENT}.intersection(tags):
        yield "incidents", visible(by, Incident).filter(opened_at__gt=since)


def _of_team(rows: Rows, team: str) -> Rows:
    return rows.filter(teams__name=team) if team else rows


def _sees(by: Principal, rows: Rows) -> bool:
    return not rows.exclude(pk__in=visible(by, rows.model).order_by().values("pk")).exists()
