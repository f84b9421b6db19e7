"""Noting how much is down. Every page's menu says it, so it is counted once for all of them."""

from dataclasses import replace

from django.db.models import Count, Q

from metrics.actions.source_status import DOWN, status_of
from metrics.alerts.machine import BURNING, TOLD
from metrics.health import store as health
from metrics.health.store import Down
from metrics.heartbeat import State
from metrics.models import Alert, Heartbeat, Source
from metrics.verdict import Verdict


def look(now: float) -> None:
    """Note how much is down at `now` (Unix seconds)."""
    health.record_down(count(now))


def count(now: float) -> Down:
    """Return how many sources and alerts that everyone may see, and heartbeats, their lists show as down or bad."""
    candidates = Source.objects.filter(for_everyone=True, enabled=True, last_verdict=Verdict.DOWN)
    sources = sum(status_of(one, now) == DOWN for one in candidates.iterator(1000))
    return with_alerts(Down(sources, Heartbeat.objects.filter(state=State.DOWN).count()))


def with_alerts(found: Down) -> Down:
    """Return `found` with the alerts that everyone may see: those that are bad and free, and the critical ones."""
    counted = Alert.objects.filter(state__in=TOLD | BURNING, rule__for_everyone=True).aggregate(
        alerts=Count("pk", filter=Q(state__in=TOLD, acknowledged_at=None)),
        critical=Count("pk", filter=Q(state__in=BURNING, severity="critical")),
    )
    return replace(found, **counted)
