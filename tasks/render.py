"""The rendering queue: what open pages wait for."""

from celery import shared_task

from metrics.actions import render as actions
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def render() -> None:
    """Render the variants that wait; `metrics.live.waiting` asks for this by name."""
    actions.render_waiting()
