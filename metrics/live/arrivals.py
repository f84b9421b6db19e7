"""Asking for a look at whether samples arrive in beat's stead: if beat is what stands still, nothing is collected."""

import structlog
from celery import current_app
from celery.exceptions import OperationalError
from redis import RedisError

from metrics.live import health
from metrics.live.connection import KEY, client

log = structlog.get_logger(__name__)

LOOK_TASK = "tasks.system.arrivals"
EVERY_S = 10
"""As beat does."""


def ask_without_beat(now: float) -> None:
    """Ask for the look if beat is gone at `now` (Unix seconds), but once in `EVERY_S` seconds, whoever else asks.

    A Redis that does not answer is logged and otherwise ignored.
    """
    try:
        beat_s = health.ages(now)["beat"]
        if beat_s is None or beat_s < health.DEAD_AFTER_S:
            return
        if client().set(f"{KEY}looking", "1", nx=True, ex=EVERY_S):
            current_app.send_task(LOOK_TASK, queue="system", expires=EVERY_S)
    except (RedisError, OperationalError) as error:
        log.warning("nobody was asked whether samples arrive", error=str(error))
