"""Rolling up, packing and pruning samples, beside the collecting of new ones."""

import time

from celery import shared_task

from metrics.actions import rollup
from tasks.away import quietly


@shared_task
@quietly
def keep() -> None:
    """Do what is due; beat sends this once a minute."""
    rollup.keep(time.time())
