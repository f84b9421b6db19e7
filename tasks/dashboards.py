"""Deleted dashboards, and drafts that change nothing."""

import time

from celery import shared_task

from metrics.actions import dashboards, drafts
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def forget_deleted() -> None:
    """Remove for good what was deleted long ago; beat sends this each hour."""
    dashboards.forget_deleted(time.time())


@shared_task
@skip_during_outage
def forget_drafts() -> None:
    """Remove drafts that change nothing; beat sends this each hour."""
    drafts.forget_unchanged(time.time())
