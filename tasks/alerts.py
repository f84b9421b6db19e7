"""Tasks about calendars and silences: they are asked for, looked ahead in, and forgotten."""

import time

from celery import shared_task

from metrics.actions import maintenance, on_call, schedules, silences, withholding
from tasks.alone import alone
from tasks.outage import skip_during_outage


@shared_task
@alone
@skip_during_outage
def ask_calendars() -> None:
    """Ask for the calendars that are due; beat sends this each minute."""
    now = time.time()
    maintenance.refresh(now)
    on_call.refresh(now)


@shared_task
@alone
@skip_during_outage
def look_ahead() -> None:
    """Make the windows to come of maintenance anew, and forget what is long over; beat sends this each hour."""
    now = time.time()
    maintenance.look_ahead(now)
    for part in (maintenance, schedules, silences, withholding):
        part.forget(now)
