"""Tasks that keep the system going: short, on time, and never behind a render or a source that takes long."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import structlog
from celery import shared_task
from celery.exceptions import OperationalError
from redis import RedisError

from metrics.actions import (
    announcements,
    arrivals,
    clock,
    digests,
    down,
    escalations,
    evaluation,
    incident_messages,
    pictures,
    received_alerts,
    render,
    slots,
)
from metrics.actions import heartbeats as heartbeats_
from metrics.actions import walls as walls_
from metrics.database import unavailable
from metrics.health import life_signs
from tasks import deliveries
from tasks.alone import alone
from tasks.collect import collect
from tasks.outage import skip_during_outage
from tasks.pictures import fetch

log = structlog.get_logger(__name__)


@shared_task
def tick() -> None:
    """Start what is due, find what must be rendered, end timers of alerts, tell people; beat sends this each second.

    A part that fails is logged, and keeps no other from being done.
    """
    for part in (start_due, fetch_pictures, sweep, follow_alerts, deliveries.start_due):
        try:
            part()
        except Exception:
            log.exception("a part of the tick failed", part=f"{part.__module__}.{part.__name__}")


@alone
@skip_during_outage
def start_due() -> None:
    """Send one task for each source that is due."""
    for due in slots.due(time.time()):
        collect.apply_async(args=(due.source,), expires=due.worth_s)


@alone
@skip_during_outage
def fetch_pictures() -> None:
    """Send one task for each picture that is due."""
    for wanted, worth_s in pictures.due(time.time()):
        fetch.apply_async(kwargs=asdict(wanted), expires=worth_s)


@alone
@skip_during_outage
def sweep() -> None:
    """Look for variants that must be rendered though no mark says so."""
    render.sweep(time.time())


@alone
@skip_during_outage
def follow_alerts() -> None:
    """Do what time does to alerts and incidents."""
    now = time.time()
    steps = (
        received_alerts.end_unsent,
        evaluation.sweep,
        escalations.hurry,
        escalations.sweep,
        incident_messages.send,
        digests.send,
    )
    if _all_done(steps, now):
        life_signs.note("alerts", now)


@shared_task
@alone
@skip_during_outage
def tell() -> None:
    """Tell what has settled; asked for as alerts change, so that nobody waits for the next tick."""
    incident_messages.send(time.time())


def _all_done(steps: Sequence[Callable[[float], object]], now: float) -> bool:
    """Do each step; one that fails keeps no other from being done. Return whether all were done.

    A failure is logged. An outage is for the caller: the first is raised, once all steps were tried.
    """
    outages: list[Exception] = []
    failed = False
    for step in steps:
        try:
            step(now)
        except Exception as error:
            if isinstance(error, (RedisError, OperationalError, TimeoutError)) or unavailable(error):
                outages.append(error)
                continue
            log.exception("a step failed", step=f"{step.__module__}.{getattr(step, '__name__', '')}")
            failed = True
    if outages:
        raise outages[0]
    return not failed


@shared_task
@alone
@skip_during_outage
def evaluate() -> None:
    """Have rules look at what arrived; `metrics.redis_state.arrived` asks for this by name."""
    evaluation.evaluate(time.time())


@shared_task
@alone
@skip_during_outage
def look_at_series() -> None:
    """Have rules look at series that may have lapsed, and at rates; tell of what is withheld no more; and look whether
    samples arrive at all.

    Beat sends this every 10 s.
    """
    _all_done((evaluation.look, announcements.release, arrivals.look), time.time())


@shared_task
@alone
@skip_during_outage
def heartbeats() -> None:
    """Have those count as late or down that did not ping, store everyone's state, and count what is down.

    Beat sends this every 5 s.
    """
    _all_done((heartbeats_.evaluate, heartbeats_.report, down.look), time.time())


@shared_task
@alone
@skip_during_outage
def walls() -> None:
    """Store for how long dashboards have been on no wall; beat sends this each minute."""
    walls_.report(time.time())


@shared_task
@skip_during_outage
def follow_clock(before: float, after: float) -> None:
    """Have samples follow the wall clock, which was set; beat sends this when it notices."""
    clock.follow(before, after, time.time())
