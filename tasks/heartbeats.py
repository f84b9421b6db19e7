"""Noticing the scheduled jobs that do not ping."""

import time

from celery import shared_task

from metrics.actions import heartbeats
from tasks.away import quietly


@shared_task
@quietly
def evaluate() -> None:
    """Have those count as late or down that did not ping, and store everyone's state."""
    now = time.time()
    heartbeats.evaluate(now)
    heartbeats.report(now)


@shared_task
@quietly
def prune() -> None:
    """Forget old pings."""
    heartbeats.prune()
