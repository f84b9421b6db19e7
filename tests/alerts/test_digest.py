"""The times of digests, also where clocks are set, and what they can't be."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from metrics.alerts.digest import DigestSpec

NEXT: list[tuple[str, dict[str, Any], str, str]] = [
    ("Asia/Kathmandu", {"at": ["08:00"]}, "2026-11-29T07:59:59", "2026-11-29T08:00:00"),
    ("Asia/Kathmandu", {"at": ["08:00"]}, "2026-11-29T08:00:00", "2026-11-30T08:00:00"),
    ("Asia/Kathmandu", {"at": ["17:00", "08:00"]}, "2026-11-29T09:00:00", "2026-11-29T17:00:00"),
    ("Asia/Kathmandu", {"every": "1h"}, "2026-11-29T09:10:00", "2026-11-29T10:00:00"),
    ("UTC", {"every": "7h"}, "2026-11-29T21:30:00", "2026-11-30T00:00:00"),
    ("UTC", {"every": "1d"}, "2026-11-29T00:00:00", "2026-11-30T00:00:00"),
    ("Europe/Berlin", {"at": ["02:30"]}, "2026-03-28T12:00:00", "2026-03-29T03:30:00"),  # there is no 02:30
    ("Europe/Berlin", {"at": ["02:30"]}, "2026-10-24T12:00:00", "2026-10-25T02:30:00"),  # the first of two
    ("Europe/Berlin", {"at": ["08:00"]}, "2026-10-24T12:00:00", "2026-10-25T08:00:00"),
    ("Europe/Berlin", {"every": "1d"}, "2026-10-25T12:00:00", "2026-10-26T00:00:00"),
    ("America/Sao_Paulo", {"every": "1h"}, "2018-11-03T23:30:00", "2018-11-04T01:00:00"),  # there is no midnight
]


def test_the_next_digest_is_at_a_local_time_of_each_day() -> None:
    for zone, given, now, expected in NEXT:
        spec = DigestSpec.model_validate({"time_zone": zone, **given})
        found = spec.next_after(datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)).timestamp())
        assert f"{datetime.fromtimestamp(found, ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S}" == expected, (zone, given, now)


def test_each_moment_of_a_year_has_a_next_digest_within_a_day_and_an_hour() -> None:
    begin = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "America/New_York"):
        for given in ({"at": ["00:00", "02:15", "23:59"]}, {"at": ["02:30"]}, {"every": "1h30m"}):
            spec = DigestSpec.model_validate({"time_zone": zone, **given})
            for hour in range(0, 365 * 24, 7):
                now = begin + 3600 * hour + 17
                assert 0 < spec.next_after(now) - now <= 25 * 3600 + 1, (zone, given, hour)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "either times of the day, or every so long"),
        ({"at": ["08:00"], "every": "1h"}, "either times of the day, or every so long"),
        ({"at": ["8:00"]}, "String should match pattern"),
        ({"every": "1m"}, "from 5m to 1d"),
        ({"every": "2d"}, "from 5m to 1d"),
        ({"every": "soon"}, "is not a period"),
        ({"at": ["08:00"], "severities": ["critical"]}, "Input should be 'info' or 'warning'"),
        ({"at": ["08:00"], "severities": []}, "at least 1 item"),
        ({"at": ["08:00"], "time_zone": "Mars/Base"}, "is no time zone"),
        ({"at": ["08:00"], "on": "monday"}, "Extra inputs"),
    ],
)
def test_what_can_be_no_digest_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        DigestSpec.model_validate(given)


def test_it_is_said_in_words() -> None:
    assert DigestSpec(at=["17:00", "08:00"], time_zone="Asia/Kathmandu").says() == "at 08:00 and 17:00 Asia/Kathmandu"
    assert DigestSpec(every="1h").says() == "every 1h UTC"
