"""Progress: how far a value has come, where it should be, and the pace that is needed."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.widgets.progress import Progress, ProgressConfig, ProgressView
from tests.widgets.make import config, named, window

NARROW = "\u202f"
MONTH = {"since": "2026-11-10T12:00:00Z", "by": "2026-11-30T12:00:00Z"}
"""Twenty days, of which ten are over at the moment that everything is seen from."""


def view(*values: float, unit: str = "", **fields: Any) -> ProgressView:
    series = [named(f"s{number}", value, unit=unit) for number, value in enumerate(values)]
    return Progress().view(ProgressConfig.model_validate(config(**fields)), series, window())


@pytest.mark.parametrize(
    ("value", "fields", "fill", "left", "level"),
    [
        (25, {"goal": 100}, "25.0%", "75 to go", None),
        (100, {"goal": 100}, "100.0%", "", "Reached"),
        (130, {"goal": 100}, "100.0%", "", "Reached"),
        (-5, {"goal": 100}, "0.0%", "105 to go", None),
        (15, {"goal": 10, "start": 20}, "50.0%", "5 to go", None),
        (9, {"goal": 10, "start": 20}, "100.0%", "", "Reached"),
        (60, {"goal": 100, **MONTH}, "60.0%", "40 to go", "On time"),
        (40, {"goal": 100, **MONTH}, "40.0%", "60 to go", "Behind"),
        (99, {"goal": 100, "by": "2026-11-20T11:59:00Z"}, "99.0%", "1 to go", "Missed"),
    ],
)
def test_the_way(value: float, fields: dict[str, Any], fill: str, left: str, level: str | None) -> None:
    found = view(value, **fields)
    assert (found.fill, found.left, found.level and found.level.word) == (fill, left, level)


@pytest.mark.parametrize(
    ("by", "pace"),
    [
        ("2026-11-30T12:00:00Z", "6 a day needed"),
        ("2026-11-20T18:00:00Z", "10 an hour needed"),
        ("2026-11-20T12:30:00Z", "2 a minute needed"),
        ("2026-11-20T12:00:10Z", "60 a minute needed"),
        ("2026-11-20T12:00:00Z", "its time is over"),
    ],
)
def test_the_pace_that_is_needed(by: str, pace: str) -> None:
    assert view(40, goal=100, by=by).pace == pace


def test_where_it_should_be_is_marked_until_it_is_there() -> None:
    assert view(40, goal=100, **MONTH).due == "50.0%"
    assert view(100, goal=100, **MONTH).due == ""
    assert view(40, goal=100, by=MONTH["by"]).due == ""


def test_the_share_is_in_per_cent_of_the_goal() -> None:
    found = view(512, unit="bytes", goal=1024)
    assert (found.share, found.goal) == (f"50.0{NARROW}%", f"1{NARROW}KiB")


def test_what_is_no_number_has_no_way() -> None:
    assert view(float("nan"), goal=100).share == ""
    assert view(goal=100).value is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"goal": 0}, "goal has to differ from start"),
        ({"goal": 1, "since": MONTH["by"], "by": MONTH["since"]}, "by has to be later than since"),
        ({"goal": 1, "by": "2026-11-30T12:00:00"}, "timezone"),
    ],
)
def test_what_makes_no_way_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        view(1, **fields)
