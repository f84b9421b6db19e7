"""Noting how much is down. Every page's menu says it, so it is counted once for all of them."""

from metrics.actions.source_status import DOWN, status_of
from metrics.health import store as health
from metrics.health.store import Down
from metrics.heartbeat import State
from metrics.models import Heartbeat, Source
from metrics.verdict import Verdict


def look(now: float) -> None:
    """Note how much is down at `now` (Unix seconds)."""
    health.record_down(count(now))


def count(now: float) -> Down:
    """Return how many sources that everyone may see, and heartbeats, their lists show as down."""
    candidates = Source.objects.filter(for_everyone=True, enabled=True, last_verdict=Verdict.DOWN)
    sources = sum(status_of(one, now) == DOWN for one in candidates.iterator(1000))
    return Down(sources, Heartbeat.objects.filter(state=State.DOWN).count())
