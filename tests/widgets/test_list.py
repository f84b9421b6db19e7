"""Lists: which changes are found, and how they are told."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pydantic import ValidationError

from metrics.series.read import Point
from metrics.widgets.base import Named
from metrics.widgets.list import ListConfig, ListKind, ListView
from tests.widgets.make import AT, config, named, window

LEVELS = {"levels_only": True, "thresholds": {"warn": 50, "critical": 90}}


def series(name: str, *values: float, before: float | None = None) -> Named:
    """Return a series with these values, a minute apart, the last one of now; and the one `before` the window."""
    points = tuple(Point(AT - 60 * (len(values) - 1 - place), value) for place, value in enumerate(values))
    made = named(name, values[-1])
    older = None if before is None else Point(AT - 3700, before)
    return replace(made, track=replace(made.track, points=points, before=older))


def view(*found: Named, range: str = "1h", **fields: Any) -> ListView:
    return ListKind().view(ListConfig.model_validate(config(**fields)), list(found), window(range))


@pytest.mark.parametrize(
    ("values", "before", "fields", "told"),
    [
        ((1, 1, 0, 1), 1, {}, ["0 → 1", "1 → 0"]),
        ((1, 1), None, {}, [" → 1"]),
        ((1, 1), 1, {}, []),
        ((1, float("nan"), 1), 1, {}, []),
        ((1, float("inf"), 2), 1, {}, ["1 → 2"]),
        ((1e308, -1e308), 1e308, {}, ["1×10³⁰⁸ → −1×10³⁰⁸"]),  # noqa: RUF001
        ((10, 20, 60, 70, 95, 96, 30), 10, LEVELS, ["96 → 30", "70 → 95", "20 → 60"]),
        ((10, 20, 60), 10, {"rows": 1}, ["20 → 60"]),
    ],
)
def test_changes_are_told_the_newest_first(
    values: tuple[float, ...], before: float | None, fields: dict[str, Any], told: list[str]
) -> None:
    found = view(series("web", *values, before=before), **fields)
    assert [f"{one.was or ''} → {one.value}" for one in found.changes] == told


def test_what_has_no_room_is_counted_and_series_are_in_the_order_of_time_and_name() -> None:
    found = view(series("b", 1, 2, before=1), series("a", 3, 4, before=3), series("c", 1, 2, 2, before=1), rows=2)
    assert ([(one.name, str(one.value)) for one in found.changes], found.more) == ([("a", "4"), ("b", "2")], 1)


@pytest.mark.parametrize(
    ("range", "time"), [("1h", "17:45:00"), ("24h", "17:45"), ("7d", "Fri 17:45"), ("30d", "20 Nov 17:45")]
)
def test_times_are_as_exact_as_the_range(range: str, time: str) -> None:
    with timezone.override(ZoneInfo("Asia/Kathmandu")):
        [change] = view(series("web", 1.0), range=range).changes
    assert change.time == time


def test_levels_are_those_of_the_thresholds() -> None:
    found = view(series("web", 10, 60, 95, before=10), thresholds={"warn": 50, "critical": 90})
    assert [one.level and one.level.name for one in found.changes] == ["critical", "warn"]
    assert view(series("web", 1.0)).changes[0].level is None


def test_it_is_as_bad_as_what_a_series_changed_to_last() -> None:
    limits: dict[str, Any] = {"thresholds": {"warn": 50, "critical": 90}}
    over, lasting = series("web", 10, 95, 20, before=10), series("db", 10, 60, 60, before=10)
    levels = [view(*shown, **limits).level for shown in ((over,), (over, lasting), ())]
    assert [one and one.name for one in levels] == ["ok", "warn", None]


def test_no_series_are_no_changes() -> None:
    assert view() == ListView((), 0, 1)


def test_levels_without_thresholds_are_refused() -> None:
    with pytest.raises(ValidationError, match="levels_only needs thresholds"):
        view(levels_only=True)
