"""Forgetting: old sessions, sign-ins, invitations, links, screens, notifications, transitions, annotations, alerts."""

import time

from celery import shared_task

from metrics.actions import (
    account,
    alert_events,
    alerts,
    annotations,
    journal,
    links,
    notifications,
    screens,
    users,
    watches,
)
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def forget() -> None:
    """Delete what is old; beat sends this each hour."""
    now = time.time()
    account.forget(now)
    users.forget_invitations()
    links.forget(now)
    screens.forget(now)
    notifications.forget(now)
    watches.forget()
    journal.forget(now)
    alerts.forget(now)
    alert_events.forget(now)
    annotations.forget(now)
