"""The collecting queue: what may be slow, and must not delay what shows."""

import time

from celery import shared_task

from metrics.actions import sources
from tasks.redis_away import quietly


@shared_task
@quietly
def tick() -> None:
    """Start every source whose slot begins; beat sends this each second."""
    for due in sources.due(time.time()):
        collect.apply_async(args=(due.source,), expires=due.every_s)


@shared_task
@quietly
def collect(source: int) -> None:
    """Run one source."""
    sources.collect(source)
