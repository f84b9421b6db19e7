"""Deleted dashboards."""

import time

from celery import shared_task

from metrics.actions import dashboards
from tasks.away import quietly


@shared_task
@quietly
def forget_deleted() -> None:
    """Remove for good what was deleted long ago; beat sends this each hour."""
    dashboards.forget_deleted(time.time())
