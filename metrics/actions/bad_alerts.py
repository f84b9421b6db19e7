"""Alerts that are bad now, cached by each process until alerts change: most renders cost no query for them."""

import time
from collections.abc import Sequence

from django.db.models import CharField, Max, QuerySet
from django.db.models.functions import Cast

from metrics.access import policy
from metrics.access.policy import Teams
from metrics.actions.alerts import MOST_SEVERE_FIRST
from metrics.actions.fact_cache import FactCache
from metrics.alerts.machine import ALERTING, BURNING, State
from metrics.models import Alert, Transition, Widget
from metrics.models.log import sender
from metrics.times import datetime_of
from metrics.widgets.bad_alert import BadAlert
from metrics.widgets.render import alerts_of

STATES = ALERTING | BURNING
MOST = 2000
CACHED_S = 5.0
"""Values change without a change of state."""


def now() -> tuple[BadAlert, ...]:
    """Return the alerts that are bad now: the most severe first, then the newest."""
    return _cache.get(time.monotonic(), lambda: _read(Alert.objects.filter(state__in=STATES)))


def forget() -> None:
    """Remember nothing any more."""
    _cache.forget()


def on(teams: Teams) -> tuple[BadAlert, ...]:
    """Return the alerts that are bad now, of those that a dashboard of `teams` may show."""
    return tuple(policy.for_readers(now(), teams))


def on_at(teams: Teams, at: float, widgets: Sequence[Widget]) -> tuple[BadAlert, ...]:
    """Return the alerts that were bad at a time of the past (Unix seconds), of those that a dashboard may show.

    They are those that `widgets` show: without any that shows alerts it asks for nothing. Nor does it read the changes
    of alerts that have been well since before.
    """
    metrics = alerts_of(widgets)
    if metrics is not None and not metrics:
        return ()
    asked = Alert.objects.exclude(state=State.OK, since_ms__lt=at * 1000 - 1)
    if metrics is not None:
        asked = asked.filter(rule__metric__in=metrics)
    things = asked.annotate(thing=Cast("pk", CharField())).values("thing")
    moves = Transition.objects.filter(noun="alert", thing__in=things, at__lte=datetime_of(at)).order_by()
    newest = moves.values("thing").annotate(newest=Max("pk")).values("newest")
    bad = {int(one.thing): one for one in Transition.objects.filter(pk__in=newest, after__in=STATES)}
    return tuple(policy.for_readers(_read(Alert.objects.filter(pk__in=bad), bad), teams))


def _read(rows: QuerySet[Alert], moves: dict[int, Transition] | None = None) -> tuple[BadAlert, ...]:
    """Return `rows` as they are now, or as the change of each in `moves` made them."""
    found = rows.select_related("rule").prefetch_related("rule__teams").order_by(MOST_SEVERE_FIRST, "-since_ms", "pk")
    return tuple(_bad(one, None if moves is None else moves[one.pk]) for one in found[:MOST])


def _bad(alert: Alert, move: Transition | None) -> BadAlert:
    rule, teams = alert.rule, list(alert.rule.teams.all())
    return BadAlert(
        id=alert.pk,
        rule=rule.name,
        labels=alert.labels,
        metric=rule.metric,
        series=alert.series,
        state=move.after if move else alert.state,
        severity=alert.severity,
        since=move.at.timestamp() if move else alert.since_ms / 1000,
        value=move.value if move else alert.value,
        unit=alert.unit,
        who="" if move or not alert.acknowledged_by else sender(alert.acknowledged_by),
        incident=alert.incident_id,
        for_everyone=rule.for_everyone,
        teams=frozenset(team.pk for team in teams),
        team_names=tuple(sorted(team.name for team in teams)),
    )


_cache = FactCache[tuple[BadAlert, ...]]("alerts", CACHED_S)
