"""Noting how much is down. Every page's menu says it, so it is counted once for all of them."""

from metrics.actions.source_status import DOWN, status_of
from metrics.alerts.machine import TOLD
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
    return Down(sources, Heartbeat.objects.filter(state=State.DOWN).count(), alerts())


def alerts() -> int:
    """Return how many alerts that everyone may see are bad and nobody has taken."""
    return Alert.objects.filter(state__in=TOLD, acknowledged_at=None, rule__for_everyone=True).count()
