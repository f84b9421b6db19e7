"""The notice on pages that are not live: as it is when they are loaded."""

import time
from collections.abc import Callable

from django.http import HttpRequest
from redis import RedisError

from metrics.actions.notice import NOTHING_NEW, Notice, notice
from metrics.redis_state import outage


def current(request: HttpRequest) -> dict[str, Callable[[], Notice]]:
    """Give every template the notice, which is read where a template asks for it."""
    return {"current_notice": _read}


def _read() -> Notice:
    try:
        return notice(time.time())
    except RedisError as error:
        outage.log("page drawn without the notice", error)
        return Notice(outage.words(error), NOTHING_NEW)
