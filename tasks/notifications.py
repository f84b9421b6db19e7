"""Telling people outside of the page."""

from collections.abc import Sequence

from celery import shared_task

from metrics.actions import web_push
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def push(notifications: Sequence[int], tried: int = 0) -> None:
    """Push notifications (ids) to browsers; each has a time of its own, and so has a push service that hangs."""
    web_push.deliver(notifications, tried)
