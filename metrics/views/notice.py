"""Things that every page says beside what it shows: the notice, and how much is down, as of the load of the page."""

import time
from collections.abc import Callable

from django.http import HttpRequest
from redis import RedisError

from metrics.actions.notice import NOTHING_NEW, Notice, notice
from metrics.health import store as health
from metrics.health.store import Down
from metrics.redis_state import outage


def current(request: HttpRequest) -> dict[str, Callable[[], object]]:
    """Give every template the notice and how much is down, which are read where a template asks."""
    return {"current_notice": _notice, "current_down": _down, "current_alerts": _alerts}


def _notice() -> Notice:
    try:
        return notice(time.time())
    except RedisError as error:
        outage.log("page drawn without the notice", error)
        return Notice(outage.words(error), NOTHING_NEW)


def _down() -> Down:
    try:
        return health.down()
    except RedisError:  # the notice says so
        return Down()


def _alerts() -> int:
    try:
        return health.number_of("alerts")
    except RedisError:
        return 0
