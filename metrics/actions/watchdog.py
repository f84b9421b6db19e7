"""The dead man's switch: another service gets a request every minute while alerts are evaluated and sent.

That service tells people when nothing came. It can be any that expects a request a minute, such as healthchecks.
"""

import time
from datetime import timedelta

import httpx
import structlog
from django.conf import settings

from metrics.actions import deliveries
from metrics.health import store as health
from metrics.sources import fetch
from metrics.sources.base import SourceError
from metrics.sources.http_config import HttpConfig
from metrics.times import datetime_of

log = structlog.get_logger(__name__)

FRESH_S = 30.0
"""Alerts are followed every second; older than that, nobody follows them."""
WAITS = timedelta(minutes=3)
"""A delivery that is due for so long has nobody who sends it; tries that failed have a later time."""
TIMEOUT_S = 10.0


def beat(now: float) -> str:
    """Send the heartbeat, if there is an address for it and nothing is wrong; return why it was not sent, or ""."""
    if not settings.WATCHDOG_URL:
        return ""
    said = trouble(now) or _send()
    if said:
        log.error("no heartbeat was sent to WATCHDOG_URL", why=said)
    return said


def trouble(now: float) -> str:
    """Return what keeps alerts from being evaluated or told at `now` (Unix seconds), as a sentence; "" for nothing."""
    sign = health.signs().get("alerts")
    if sign is None or now - sign.at > FRESH_S:
        return "Alerts are not followed: the worker of the queue system, or beat, stands still."
    if deliveries.free(datetime_of(now)).filter(next_at__lte=datetime_of(now) - WAITS).exists():
        return "Messages wait, and nobody sends them: the worker of the queue system stands still."
    return ""


class _Address(HttpConfig):
    """The address; its path may hold a key, so no sentence has more of it than the host."""

    @property
    def where(self) -> str:
        return httpx.URL(self.url).host


def _send() -> str:
    config = _Address(url=settings.WATCHDOG_URL, timeout_s=TIMEOUT_S)
    began = time.monotonic()

    async def work(client: httpx.AsyncClient) -> int:
        response = await fetch.send(client, config, config.url, method="POST", content=b"")
        await response.aclose()
        return response.status_code

    try:
        status = fetch.run(config, work)
    except SourceError as problem:
        return str(problem)
    if not 200 <= status < 300:
        return f"{config.where} answered {status} after {time.monotonic() - began:.1f} s."
    return ""
