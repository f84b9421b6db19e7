"""Tasks about pings of scheduled jobs: old ones are deleted."""

from celery import shared_task

from metrics.actions import heartbeats
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def prune() -> None:
    """Forget old pings; beat sends this every ten minutes."""
    heartbeats.prune()
