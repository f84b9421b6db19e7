"""The dead man's switch."""

import time

from celery import shared_task

from metrics.actions import watchdog
from tasks.alone import alone
from tasks.outage import skip_during_outage


@shared_task
@alone
@skip_during_outage
def beat() -> None:
    """Let another service hear from us, while all is well; beat sends this each minute."""
    watchdog.beat(time.time())
