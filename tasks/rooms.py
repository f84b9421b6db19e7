"""Rooms: files that no message named, and messages that are older than their room keeps them."""

import time

from celery import shared_task

from metrics.actions import file_retention, room_retention
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def keep() -> None:
    """Remove what is old; beat sends this each hour, as a schedule of days starts anew with every restart."""
    now = time.time()
    room_retention.prune(now)
    file_retention.forget(now)
