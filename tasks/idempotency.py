"""What pushes leave behind."""

import time

from celery import shared_task

from metrics.actions import idempotency
from tasks.away import quietly


@shared_task
@quietly
def forget() -> None:
    """Forget the idempotency keys that no longer count; beat sends this each hour."""
    idempotency.forget(time.time())
