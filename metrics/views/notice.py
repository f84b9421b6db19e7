"""The notice on pages that are not live: as it is when they are loaded."""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from redis import RedisError

from metrics.actions.notice import Notice, notice

log = structlog.get_logger(__name__)


def current(request: HttpRequest) -> dict[str, Callable[[], Notice]]:
    """Give every template the notice, which is read where a template asks for it."""
    return {"current_notice": _read}


def _read() -> Notice:
    try:
        return notice(time.time())
    except RedisError as error:
        log.warning("page drawn without the notice", error=str(error))
        return Notice()
