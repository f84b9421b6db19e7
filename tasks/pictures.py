"""Pictures of dashboards: fetched while somebody looks, and removed when nothing shows them."""

import time

from celery import shared_task

from metrics.actions import pictures
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def fetch(dashboard: int, url: str, username: str, password: str) -> None:
    """Fetch one picture."""
    pictures.fetch(pictures.Wanted(dashboard, url, username, password))


@shared_task
@skip_during_outage
def prune() -> None:
    """Remove what nothing shows; beat sends this each hour."""
    pictures.prune(time.time())
