"""Telling people outside through channels.

Each delivery has a thread while it lasts, in the worker that renders: it only waits for the process that sends, and
neither sources that hang nor pages that are drawn keep it from that. As many as `AT_ONCE` wait; the rest is started by
the next ticks.
"""

import threading
import time

from celery import shared_task
from django.db import connections

from metrics.actions import deliveries
from metrics.notify.sending.process import ahead
from tasks.alone import alone
from tasks.outage import skip_during_outage

AT_ONCE = 16

_room = threading.BoundedSemaphore(AT_ONCE)


@shared_task
def deliver(id: int) -> None:
    """Begin to send a delivery."""
    if _room.acquire(blocking=False):
        threading.Thread(target=_deliver, args=(id,), name=f"delivery {id}", daemon=True).start()


@shared_task
def load(kinds: list[str]) -> None:
    """Load what sending through `kinds` of channels needs: somebody may have to be told soon."""
    ahead(kinds)


@skip_during_outage
def _send(id: int) -> None:
    deliveries.deliver(id, time.time())


def _deliver(id: int) -> None:
    try:
        _send(id)
    finally:
        connections.close_all()
        _room.release()


@alone
@skip_during_outage
def start_due() -> None:
    """Begin what is due; the tick calls this each second."""
    for id in deliveries.due(time.time()):
        deliver(id)


@shared_task
@skip_during_outage
def forget() -> None:
    """Remove old deliveries; beat sends this each hour."""
    deliveries.forget(time.time())
