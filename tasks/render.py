"""The rendering queue: what open pages wait for."""

import time

from celery import shared_task

from metrics.actions import arrivals as arrivals_
from metrics.actions import render as actions
from metrics.live.snapshot import Variant
from tasks.away import quietly


@shared_task
@quietly
def render(slug: str, range: str) -> None:
    """Render what changed of one variant; `metrics.live.events` asks for this by name."""
    actions.render(Variant(slug, range))


@shared_task
@quietly
def sweep() -> None:
    """Find what else must be rendered; beat sends this each second."""
    actions.sweep(time.time())


@shared_task
@quietly
def arrivals() -> None:
    """Look whether samples arrive; the collecting worker could not say so if it is what stands still."""
    arrivals_.look(time.time())
