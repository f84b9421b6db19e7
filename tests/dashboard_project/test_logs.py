"""Contents of the log: no keys that addresses hold, whichever logger logs them."""

import json
import logging
from logging.config import DictConfigurator

import pytest

from dashboard_project.logs import Brief, logging_config
from metrics.redis_state import outage


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Not Found: /ping/aB-3_xyz", "Not Found: /ping/[key]"),
        ("Bad Request: /ping/aB-3_xyz/stop", "Bad Request: /ping/[key]/stop"),
        ('"GET /ping/aB-3_xyz?rid=1 HTTP/1.1" 200', '"GET /ping/[key]?rid=1 HTTP/1.1" 200'),
        ("Not Found: /ping//aB-3_xyz", "Not Found: /ping//[key]"),
        ("Not Found: /Ping/aB-3_xyz", "Not Found: /Ping/[key]"),
        ("Not Found: /api/v1/alerts/webhook/aB-3_xyz", "Not Found: /api/v1/alerts/webhook/[key]"),
        ('"GET /on-call/7.ics?key=aB-3_xyz HTTP/1.1" 200', '"GET /on-call/7.ics?key=[key] HTTP/1.1" 200'),
        ('"POST /write?db=a&p=aB-3_xyz&u=b HTTP/1.1"', '"POST /write?db=a&p=[key]&u=b HTTP/1.1"'),
        ('"WebSocket /ws/alerts/?ticket=aB-3_xyz" [accepted]', '"WebSocket /ws/alerts/?ticket=[key]" [accepted]'),
        ("Not Found: /pinged/machines", "Not Found: /pinged/machines"),
    ],
)
def test_no_key_is_written(said: str, written: str, as_json: bool) -> None:
    config = logging_config("INFO", as_json)
    formatter = DictConfigurator(config).configure_formatter(config["formatters"]["line"])
    try:
        raise ValueError(said)
    except ValueError as error:
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (said,), (ValueError, error, None))
    line = formatter.format(record)
    assert "aB-3_xyz" not in line
    assert written in (json.loads(line)["event"] if as_json else line)


def test_what_libraries_log_of_one_trouble_is_a_line_a_minute_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "limit", outage.Limit())
    said = [
        ("psycopg.pool", "error connecting in %r: %s", ("pool-1", "no route"), {}),
        ("psycopg.pool", "error connecting in %r: %s", ("pool-1", "timeout"), {}),
        ("psycopg.pool", "discarding closed connection: %s", ("[BAD]",), {}),
        ("django.request", "%s: %s", ("Service Unavailable", "/api/v1/samples"), {"status_code": 503}),
        ("django.request", "%s: %s", ("Service Unavailable", "/api/v1/alerts"), {"status_code": 503}),
        ("django.request", "%s: %s", ("Not Found", "/a"), {"status_code": 404}),
        ("django.request", "%s: %s", ("Not Found", "/b"), {"status_code": 404}),
    ]
    records = [
        logging.makeLogRecord({"name": name, "msg": text, "args": given, **more}) for name, text, given, more in said
    ]
    assert [record.getMessage() for record in records if Brief().filter(record)] == [
        "error connecting in 'pool-1': no route",
        "discarding closed connection: [BAD]",
        "Service Unavailable: /api/v1/samples",
        "Not Found: /a",
        "Not Found: /b",
    ]
