"""Tasks about keys of stored pushes: old ones are deleted."""

import time

from celery import shared_task

from metrics.actions import idempotency
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def forget() -> None:
    """Forget the idempotency keys that no longer count; beat sends this each hour."""
    idempotency.forget(time.time())
