"""Collecting: what may be slow has a queue and a worker of its own, and must not delay what shows."""

import time

from celery import shared_task

from metrics.actions import live_queries, plugins, runs, trials
from metrics.health import life_signs
from tasks.outage import skip_during_outage


@shared_task
@skip_during_outage
def collect(source: int) -> None:
    """Run one source."""
    _give_sign()
    runs.collect(source)


@shared_task
@skip_during_outage
def prune() -> None:
    """Delete old runs; beat sends this each minute."""
    runs.prune()


@shared_task
@skip_during_outage
def trial(id: str) -> None:
    """Run a source once for somebody who waits to see what it would store."""
    trials.answer(id)


@shared_task
@skip_during_outage
def answer_live(source: int) -> None:
    """Ask the server of a source what widgets wait for."""
    _give_sign()
    live_queries.answer(source)


@shared_task
@skip_during_outage
def follow_plugins() -> None:
    """Have the sources follow the files in PLUGINS_DIR; beat sends this every few seconds."""
    _give_sign()
    plugins.follow()


def _give_sign() -> None:
    """Note that the collecting worker had a thread to spare, be it for what comes without any source."""
    life_signs.note("collecting", time.time())
