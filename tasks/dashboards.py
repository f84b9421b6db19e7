"""Deleted dashboards."""

import time

from celery import shared_task

from metrics.actions import dashboards
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def forget_deleted() -> None:
    """Remove for good what was deleted long ago; beat sends this each hour."""
    dashboards.forget_deleted(time.time())
