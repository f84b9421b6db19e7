"""Things that every page says beside what it shows: the notice, and how much is down, as of the load of the page."""

import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from django.http import HttpRequest
from redis import RedisError

from metrics.actions import notice
from metrics.actions.notice import NOTHING_NEW, Notice
from metrics.health import store as health
from metrics.health.store import Down
from metrics.redis_state import outage
from metrics.redis_state.round_trip import ask


class Said(NamedTuple):
    """The notice, how much is down, and how often alerts changed."""

    notice: Notice
    down: Down = Down()
    alerts: int = 0


def current(request: HttpRequest) -> dict[str, Callable[[], object]]:
    """Give every template the notice and how much is down, which are read, all at once, where a template first asks."""
    said = cache(_said)
    return {
        "current_notice": lambda: said().notice,
        "current_down": lambda: said().down,
        "current_alerts": lambda: said().alerts,
    }


def _said() -> Said:
    try:
        noted = ask(health.noted())
    except RedisError as error:
        outage.log("page drawn without the notice", error)
        return Said(Notice(outage.words(error), NOTHING_NEW))
    return Said(notice.of(noted, time.time()), noted.down, noted.alerts)
