"""What pings of scheduled jobs leave behind."""

from celery import shared_task

from metrics.actions import heartbeats
from tasks.away import quietly


@shared_task
@quietly
def prune() -> None:
    """Forget old pings; beat sends this every ten minutes."""
    heartbeats.prune()
