"""Messages about a Redis that does not serve, and that the log has them once a minute."""

import logging

import pytest
from celery.exceptions import OperationalError
from redis import RedisError
from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError, ResponseError
from structlog.testing import capture_logs

from dashboard_project.logs import Brief
from metrics.redis_state import outage

OOM = "command not allowed when used memory > 'maxmemory'."


@pytest.fixture(autouse=True)
def _nothing_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "limit", outage.Limit())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OutOfMemoryError(OOM), "Redis is out of memory."),
        (ResponseError(f"OOM {OOM}"), "Redis is out of memory."),
        (ReadOnlyError("You can't write against a read only replica."), "Redis can only be read."),
        (ConnectionError("Connection refused"), "Redis does not answer."),
        (TimeoutError(), "Redis does not answer."),
    ],
)
def test_it_is_said_in_a_sentence(error: Exception, words: str) -> None:
    assert outage.words(error) == words


def test_a_line_of_each_kind_comes_once_a_minute_and_the_rest_is_counted() -> None:
    limit = outage.Limit()
    assert [limit.left_out("marks", ticks) for ticks in (0, 1, 59.9, 60, 61, 120)] == [0, None, None, 2, None, 1]
    assert limit.left_out("rates", 61) == 0


def test_what_differs_in_cause_is_of_another_kind() -> None:
    with capture_logs() as logs:
        for error in (OutOfMemoryError(OOM), RedisError("away"), OutOfMemoryError(OOM), RedisError("away again")):
            outage.log("marks were not kept", error)
    assert [one["error"] for one in logs] == [OOM, "away"]


@pytest.mark.parametrize("by_way_of", [False, True])
def test_what_libraries_log_of_it_is_one_line_a_minute_too(by_way_of: bool) -> None:
    """Celery and kombu wrap the errors of Redis, and log all of their tracebacks, many times a second."""
    cause = OutOfMemoryError(OOM)
    error: Exception = OperationalError(str(cause)) if by_way_of else cause
    error.__cause__ = cause if by_way_of else None
    passed = []
    for _ in range(5):
        record = logging.LogRecord("celery.beat", 40, "", 0, "Message Error: %s\nmany\nlines", ("x",), None)
        record.exc_info = (type(error), error, None)
        if Brief().filter(record):
            passed.append(record)
    (record,) = passed
    assert record.getMessage() == f"Message Error: x: {OOM}"
    assert record.exc_info is None


def test_a_message_that_holds_the_error_already_is_not_longer_for_it() -> None:
    error = OutOfMemoryError(OOM)
    record = logging.LogRecord("celery.beat", 40, "", 0, f"Message Error: {OOM}", (), (type(error), error, None))
    assert Brief().filter(record)
    assert record.getMessage() == f"Message Error: {OOM}"


def test_what_has_nothing_to_do_with_it_is_logged_as_it_is() -> None:
    for error in (ValueError("bug"), TimeoutError("of something else")):
        record = logging.LogRecord("metrics", 40, "", 0, "It failed", (), (type(error), error, None))
        assert all(Brief().filter(record) for _ in range(3))
        assert record.exc_info
