"""Logging: every record of every library in one form, readable or JSON, through structlog."""

import logging
import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation

from metrics.database import unavailable
from metrics.redis_state import outage

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


KEY = re.compile(r"(/(?:ping|alerts/+webhook)/+|[?&](?:key|p|ticket|token)=)[^/?&#\s\\\"'<>]+", re.IGNORECASE)
"""In an address: of a heartbeat, a webhook, a calendar or a socket, or InfluxDB's password, which is a token.

Servers log the addresses of requests, and Django those of requests that fail.
"""


def hide_keys(_: Any, __: str, line: str) -> str:
    """Return `line`, a record as it will be written, without the keys that addresses hold."""
    return KEY.sub(r"\1[key]", line)


class NotReady(logging.Filter):
    """Leaves out that /readyz said 503: whoever asked was told, and asks every few seconds."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/readyz"


class Brief(logging.Filter):
    """Shortens what libraries log when a client sends nonsense or may not: what, not where.

    Likewise when Redis or the database does not serve; of that, one line a minute of each logger is enough, and of
    each kind of line where it is the pool of the database's connections that logs it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        trouble = next((outage.words(one) for one in _causes(error) if isinstance(one, outage.TROUBLE)), "")
        trouble = trouble or unavailable(error) or _of_libraries(record)
        if not trouble and not isinstance(error, SuspiciousOperation | PermissionDenied):
            return True
        text = record.getMessage().splitlines()[0]
        text += "" if error is None or str(error) in text else f": {error}"
        if trouble:
            left_out = outage.limit.left_out(record.name + trouble, time.monotonic())
            if left_out is None:
                return False
            text += f" ({left_out} more like this were left out)" if left_out else ""
        record.msg, record.args = text, ()
        record.exc_info = record.exc_text = None
        return True


def _of_libraries(record: logging.LogRecord) -> str:
    """Return what kind of trouble a library logs without its error: that it said 503, or how connecting goes."""
    if getattr(record, "status_code", None) == HTTPStatus.SERVICE_UNAVAILABLE:
        return "503"
    return str(record.msg) if record.name == "psycopg.pool" else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and what it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def logging_config(level: str, as_json: bool) -> dict[str, Any]:
    """Return a `logging.config` dictionary and configure structlog to write through it."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    render: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render, hide_keys],
            }
        },
        "filters": {
            "not_ready": {"()": "dashboard_project.logs.NotReady"},
            "brief": {"()": "dashboard_project.logs.Brief"},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["not_ready", "brief"]}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Tasks that run every second are logged at DEBUG only.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "django.server": {"level": "INFO"},
            "uvicorn.access": {"handlers": [], "propagate": True},
            "django": {"handlers": [], "propagate": True},
            "axes": {"level": "WARNING"},
            "daphne.server": {"level": "WARNING"},
            "daphne.http_protocol": {"level": "WARNING"},
            "daphne.ws_protocol": {"level": "WARNING"},
        },
    }
