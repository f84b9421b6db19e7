"""Tasks about calendars and silences: they are asked for, looked ahead in, and forgotten."""

import time
from contextlib import ExitStack

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
    with ExitStack() as each:  # one that fails does not stop the other
        each.callback(on_call.refresh, now)
        maintenance.refresh(now)


@shared_task
@alone
@skip_during_outage
def look_ahead() -> None:
    """Make the windows to come of maintenance anew, and forget what is long over; beat sends this each hour."""
    now = time.time()
    with ExitStack() as each:  # one that fails does not stop the others
        for part in (maintenance, schedules, silences, withholding):
            each.callback(part.forget, now)
        maintenance.look_ahead(now)
