"""Logging: every record of every library in one form, readable or JSON, through structlog."""

import logging
import re
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from redis import RedisError

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


PING_KEY = re.compile(r"(/ping/+)[^/?#\s\"'<>]+")
"""In the address of a heartbeat, which is a credential; requests that fail are logged with theirs."""


def hide_ping_keys(_: Any, __: str, line: str) -> str:
    """Return `line`, a record as it will be written, without the keys of heartbeats."""
    return PING_KEY.sub(r"\1[key]", line)


class NotReady(logging.Filter):
    """Leaves out that /readyz said 503: whoever asked was told, and asks every few seconds."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/readyz"


class Brief(logging.Filter):
    """Shortens what libraries log when Redis goes away, or a client sends nonsense or may not: what, not where."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedisError | SuspiciousOperation | PermissionDenied):
            record.msg, record.args = f"{record.getMessage()}: {error}", ()
            record.exc_info = record.exc_text = None
        return True


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
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render, hide_ping_keys],
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
            # What runs every second, says so at DEBUG only.
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
