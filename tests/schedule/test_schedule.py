"""When schedules are due, through both changes of summer time, and what is no schedule."""

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metrics.schedule import BadSchedule, Schedule
from tests.make import AT

ZURICH = ZoneInfo("Europe/Zurich")
SCHEDULES = (
    Schedule(every_s=10),
    Schedule(every_s=0.5),
    Schedule(cron="*/30 * * * *", time_zone="Europe/Zurich"),
    Schedule(cron="30 2 * * *", time_zone="Europe/Zurich"),
    Schedule(cron="0 9 * * MON-FRI", time_zone="America/New_York"),
)


def zurich(day: str, times: int, cron: str) -> list[str]:
    """Return when `cron` is due from noon of `day` on, in Zurich's time."""
    schedule, at, found = Schedule(cron=cron, time_zone="Europe/Zurich"), datetime.fromisoformat(day), []
    moment = at.replace(hour=12, tzinfo=ZURICH).timestamp()
    for _ in range(times):
        moment = schedule.after(moment)
        found.append(datetime.fromtimestamp(moment, ZURICH).strftime("%d %H:%M%z"))
    return found


def test_every_is_counted_from_the_epoch() -> None:
    schedule = Schedule(every_s=10)
    assert (schedule.slot(1234.5), schedule.after(1234.5), schedule.gap_s(1234.5)) == (1230, 1240, 10)
    assert (schedule.slot(1240), schedule.after(1240)) == (1240, 1250)


def test_a_fixed_hour_that_is_skipped_runs_right_after_it() -> None:
    assert zurich("2026-03-28", 2, "30 2 * * *") == ["29 03:00+0200", "30 02:30+0200"]


def test_a_fixed_hour_that_comes_twice_runs_once() -> None:
    assert zurich("2026-10-24", 2, "30 2 * * *") == ["25 02:30+0200", "26 02:30+0100"]


def test_what_runs_each_half_hour_goes_on_through_the_hour_that_comes_twice() -> None:
    schedule = Schedule(cron="*/30 * * * *", time_zone="Europe/Zurich")
    at = datetime(2026, 10, 25, 1, 50, tzinfo=ZURICH).timestamp()
    due = [at := schedule.after(at) for _ in range(5)]
    assert {later - earlier for earlier, later in pairwise(due)} == {1800}


def test_the_gap_is_the_one_that_a_moment_lies_in() -> None:
    weekdays = Schedule(cron="0 9 * * MON-FRI")
    friday = datetime.fromisoformat("2026-11-20T10:00:00Z")
    assert weekdays.gap_s(friday.timestamp()) == timedelta(days=3).total_seconds()
    assert weekdays.gap_s((friday - timedelta(days=1)).timestamp()) == timedelta(days=1).total_seconds()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@given(st.floats(min_value=AT - 86_400 * 400, max_value=AT + 86_400 * 400))
@example(1824944400.0)  # 2027-10-31 01:00 UTC: in the hour that comes twice in Zurich
@example(1824944399.5)
def test_a_moment_lies_between_its_slot_and_what_comes_after(schedule: Schedule, at: float) -> None:
    slot, after = schedule.slot(at), schedule.after(at)
    assert slot <= at < after
    assert schedule.slot(after) == after
    assert schedule.after(slot) == after


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "every"),
        ({"every_s": 10, "cron": "* * * * *"}, "every"),
        ({"every_s": 0}, "every"),
        ({"every_s": float("nan")}, "every"),
        ({"every_s": float("inf")}, "every"),
        ({"cron": "* * * *"}, "cron"),
        ({"cron": "* * * * * *"}, "cron"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "0 0 31 2 *"}, "cron"),
        ({"cron": "@hourly"}, "cron"),
        ({"cron": "* " * 200}, "cron"),
        ({"cron": "* * * * *", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"cron": "* * * * *", "time_zone": "../etc/passwd"}, "time_zone"),
        ({"cron": "* * * * *", "time_zone": ""}, "time_zone"),
    ],
)
def test_what_is_no_schedule_is_refused_by_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadSchedule) as refused:
        Schedule(**fields)
    assert refused.value.field == field
    assert str(refused.value).endswith(".")


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    with suppress(BadSchedule):
        Schedule(cron=text)
    with suppress(BadSchedule):
        Schedule(cron="* * * * *", time_zone=text)
