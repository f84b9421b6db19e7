"""Histories: shares of time up, gaps that are not down, days by the clock on the wall."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pydantic import ValidationError

from metrics.series.read import Point
from metrics.widgets import ranges
from metrics.widgets.base import Named
from metrics.widgets.history import History, HistoryConfig, HistoryView, Row
from metrics.widgets.ranges import DAY_S
from tests.widgets.make import AT, config, named, window

NAN = float("nan")


def view(*series: Named, **fields: Any) -> HistoryView:
    checked = HistoryConfig.model_validate(config(**fields))
    return History().view(checked, list(series), History().window(checked, window()))


def days(*values: float | None, per_day: int = 1, **fields: Any) -> Named:
    """Return a series with a value for each of the last days, or so many parts of them, today being the last."""
    end, step_s = ranges.days(1, DAY_S, AT, ZoneInfo("UTC")).end, DAY_S / per_day
    begins = [end - step_s * (len(values) - place) for place in range(len(values))]
    points = [Point(at, value) for at, value in zip(begins, values, strict=True) if value is not None]
    return replace(named("web", **fields), track=replace(named("", 1.0, **fields).track, points=tuple(points)))


def drawn(row: Row) -> dict[str, str]:
    return {bars.level: bars.path for bars in row.bars}


@pytest.mark.parametrize(
    ("values", "fields", "bars", "share"),
    [
        ([1, 1, 1], {}, {"ok": "M0 0h3"}, "100.00"),
        ([1, 0.97, 0.5], {}, {"ok": "M0 0h1", "warn": "M1 0h1", "critical": "M2 0h1"}, "88.80"),
        ([1, 0, 1], {}, {"ok": "M0 0h1M2 0h1", "critical": "M1 0h1"}, "60.00"),
        ([None, 1, 1], {}, {"ok": "M1 0h2", "nodata": "M0 0h1"}, "100.00"),
        ([1, None, 1], {}, {"ok": "M0 0h1M2 0h1", "nodata": "M1 0h1"}, "100.00"),
        ([1, None, 1], {"every_s": 86400}, {"ok": "M0 0h3"}, "100.00"),
        ([1, None, None, 0], {"days": 4}, {"ok": "M0 0h1", "critical": "M3 0h1", "nodata": "M1 0h2"}, "66.67"),
        ([1, NAN, 1], {}, {"ok": "M0 0h1M2 0h1", "nodata": "M1 0h1"}, "100.00"),
        ([1e308, -1e308, 1], {}, {"ok": "M0 0h1M2 0h1", "critical": "M1 0h1"}, "60.00"),
        ([1, 0.97, 0.5], {"warn_below": 50, "critical_below": 10}, {"ok": "M0 0h3"}, "88.80"),
        ([None, None, None], {}, {"nodata": "M0 0h3"}, None),
    ],
)
def test_a_bar_is_the_share_of_its_day(
    values: list[float | None], fields: dict[str, Any], bars: dict[str, str], share: str | None
) -> None:
    """Of today, at noon, half counts."""
    [row] = view(days(*values), **{"days": 3, **fields}).rows
    assert drawn(row) == bars
    assert (row.share and row.share.text) == share


def test_shares_may_be_in_per_cent() -> None:
    [row] = view(days(100, 97, 100, unit="percent"), days=3).rows
    assert drawn(row) == {"ok": "M0 0h1M2 0h1", "warn": "M1 0h1"}


def test_of_other_series_the_hours_count_that_reach_what_is_up() -> None:
    [row] = view(days(*[300.0] * 23, 12.0, *[300.0] * 12, *[None] * 12, per_day=24), days=2, up_at_least=100).rows
    assert (drawn(row), row.share and row.share.text) == ({"ok": "M1 0h1", "warn": "M0 0h1"}, "97.22")


def test_there_are_never_more_than_ninety_bars() -> None:
    found = view(days(*[1.0] * 366), days=366)
    assert (found.count, drawn(found.rows[0])) == (74, {"ok": "M0 0h74"})
    found = view(days(1.0), days=0)
    assert (found.count, found.since) == (60, "Fri 11:00")


@pytest.mark.parametrize(
    ("latest", "age_s", "state"), [(1.0, 2, "up"), (0.5, 2, "down"), (1.0, 900, "stale"), (None, 2, "nodata")]
)
def test_the_state_now(latest: float | None, age_s: float, state: str) -> None:
    [row] = view(named("web", latest, age_s=age_s)).rows
    assert (row.state, row.said) == (state, "No data")


def test_what_is_down_now_comes_first_and_what_has_no_room_is_counted() -> None:
    found = view(*(named(f"s{number:02}", float(number != 33)) for number in range(34)))
    assert ([row.name for row in found.rows[:2]], len(found.rows), found.more) == (["s33", "s00"], 30, 4)


def test_it_is_said_in_a_sentence() -> None:
    [row] = view(days(None, None, 0.2, 0.5, 0.97, 0.4, 0.3, 1), days=8).rows
    assert row.said.replace("\u202f", " ") == (
        "52.18 % up; least 15 Nov 20.00 %, 19 Nov 30.00 %, 18 Nov 40.00 % and 2 more; no data in 2 of 8 bars"
    )


def test_days_begin_at_midnight_on_the_wall() -> None:
    for zone, since in (("Asia/Kathmandu", "2026-11-18 18:15"), ("UTC", "2026-11-19 00:00")):
        with timezone.override(ZoneInfo(zone)):
            own = History().window(HistoryConfig.model_validate(config(days=2)), window())
        assert f"{datetime.fromtimestamp(own.start, ZoneInfo('UTC')):%Y-%m-%d %H:%M}" == since
        assert own.length_s == 2 * DAY_S


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="critical_below has to be at most warn_below"):
        view(warn_below=90)
