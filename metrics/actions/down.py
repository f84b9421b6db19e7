"""Counting what is down, once for all pages: every menu shows the number."""

from dataclasses import replace

from django.db.models import BigAutoField, Count, Q, QuerySet, Value

from metrics.actions.source_status import DOWN, status_of
from metrics.alerts.machine import ALERTING, BURNING
from metrics.health import store as health
from metrics.health.store import Down
from metrics.heartbeat import State
from metrics.models import Alert, Heartbeat, Source
from metrics.prepared_query import Given, PreparedQuery
from metrics.verdict import Verdict

AT_ONCE = 1000


def look(now: float) -> None:
    """Note how much is down at `now` (Unix seconds)."""
    health.record_down(count(now))


def _candidates(after: Given) -> QuerySet[Source]:
    found = Source.objects.filter(for_everyone=True, enabled=True, last_verdict=Verdict.DOWN, pk__gt=after)
    return found.order_by("pk")[:AT_ONCE]


def _alerts() -> QuerySet[Alert, tuple[int, int]]:
    return (
        Alert.objects.filter(state__in=ALERTING | BURNING, rule__for_everyone=True)
        .order_by()
        .values(all=Value(1))
        .annotate(
            untaken=Count("pk", filter=Q(state__in=ALERTING, acknowledged_at=None)),
            critical=Count("pk", filter=Q(state__in=BURNING, severity="critical")),
        )
        .values_list("untaken", "critical")
    )


_CANDIDATES = PreparedQuery(_candidates, BigAutoField())
_HEARTBEATS = PreparedQuery(lambda: Heartbeat.objects.filter(state=State.DOWN).order_by().values_list("pk"))
_ALERTS = PreparedQuery(_alerts)


def count(now: float) -> Down:
    """Return how many sources and alerts that everyone may see, and heartbeats, their lists show as down or bad."""
    sources, after = 0, 0
    while some := _CANDIDATES.objects(Source, after):
        sources += sum(status_of(one, now) == DOWN for one in some)
        after = some[-1].pk
        if len(some) < AT_ONCE:
            break
    return with_alerts(Down(sources, len(_HEARTBEATS.rows())))


def with_alerts(found: Down) -> Down:
    """Return `found` with the alerts that everyone may see: those that nobody took, and those that are critical."""
    untaken, critical = next(iter(_ALERTS.rows()), (0, 0))
    return replace(found, alerts=untaken, critical=critical)
