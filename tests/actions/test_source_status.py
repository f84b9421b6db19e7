"""How a source stands, in one word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from metrics.actions import source_status
from metrics.models import Source
from tests.make import AT


def ago(seconds: float) -> datetime:
    return datetime.fromtimestamp(AT, UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"every_s": 10}, "waiting"),
        ({"every_s": 10, "last_run_at": ago(9)}, "ok"),
        ({"every_s": 10, "last_run_at": ago(9), "last_error": "Away."}, "failing"),
        ({"every_s": 10, "last_run_at": ago(9), "last_verdict": "up"}, "ok"),
        ({"every_s": 10, "last_run_at": ago(9), "last_verdict": "warning"}, "warning"),
        ({"every_s": 10, "last_run_at": ago(9), "last_verdict": "down"}, "down"),
        ({"every_s": 10, "last_run_at": ago(9), "last_verdict": "from a later release"}, "ok"),
        ({"every_s": 10, "last_run_at": ago(24), "last_verdict": "down"}, "late"),
        ({"every_s": 10, "last_run_at": ago(24)}, "late"),
        ({"every_s": 10, "last_run_at": ago(24), "last_error": "Away."}, "late"),
        ({"every_s": 10, "last_run_at": ago(24), "enabled": False}, "off"),
        ({"cron": "0 6 * * *", "time_zone": "UTC", "last_run_at": ago(6 * 3600)}, "ok"),
        ({"cron": "0 6 * * *", "time_zone": "UTC", "last_run_at": ago(54 * 3600 + 4)}, "late"),
        ({"cron": "0 6 * * *", "time_zone": "Mars", "last_error": "time_zone 'Mars' is not one."}, "failing"),
        ({"kind": Source.PUSH}, "waiting"),
        ({"kind": Source.PUSH, "last_run_at": ago(299)}, "ok"),
        ({"kind": Source.PUSH, "last_run_at": ago(301)}, "quiet"),
        # the clock was set back, and it has not run since
        ({"every_s": 10, "last_run_at": ago(-3600)}, "late"),
        ({"every_s": 10, "last_run_at": ago(-30)}, "late"),
        ({"every_s": 10, "last_run_at": ago(-4)}, "ok"),
        ({"kind": Source.PUSH, "last_run_at": ago(-3600)}, "quiet"),
    ],
)
def test_in_one_word(fields: dict[str, Any], word: str) -> None:
    found = source_status.status_of(Source(**{"kind": "host", **fields}), AT)
    assert found.word == word
    assert found in source_status.ALL
