"""Contents of the log: no keys that addresses hold, whichever logger logs them."""

import json
import logging
from logging.config import DictConfigurator

import pytest

from dashboard_project.logs import logging_config


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
