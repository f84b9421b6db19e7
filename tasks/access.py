"""Sessions and sign-ins that are over."""

import time

from celery import shared_task

from metrics.actions import account
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def forget() -> None:
    """Delete what is old of sessions and sign-ins; beat sends this each hour."""
    account.forget(time.time())
