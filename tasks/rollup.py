"""Rolling up, packing and pruning samples, beside the collecting of new ones."""

import time

from celery import shared_task

from metrics.actions import rollup
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def keep() -> None:
    """Do what is due; beat sends this once a minute."""
    rollup.keep(time.time())
