"""The bars: the largest of the newest values."""

import math
from typing import Any

import pytest

from metrics.widgets.bars import Bars, BarsConfig, BarsView
from tests.widgets.make import config, named, window


def view(*series: Any, **fields: Any) -> BarsView:
    return Bars().view(BarsConfig.model_validate(config(**fields)), list(series), window())


def test_the_largest_come_first_and_equals_by_name() -> None:
    shown = view(named("b", 5), named("c", 9), named("a", 5), named("none"))
    assert [bar.name for bar in shown.bars] == ["c", "a", "b"]


def test_only_the_top_is_shown_and_the_rest_is_counted() -> None:
    shown = view(*(named(str(i), i) for i in range(14)), top=3)
    assert [bar.name for bar in shown.bars] == ["13", "12", "11"]
    assert shown.more == 11


FILLS = [
    # unit, max, value, how long the bar is beside one of 50
    ("percent", None, 25, "25.0%"),
    ("ratio", None, 0.25, "25.0%"),
    ("", None, 25, "50.0%"),
    ("", 200, 25, "12.5%"),
    ("", 10, 25, "100.0%"),
    ("", None, -25, "0.0%"),
]


@pytest.mark.parametrize(("unit", "most", "value", "fill"), FILLS)
def test_a_bar_is_as_long_as_its_share(unit: str, most: float | None, value: float, fill: str) -> None:
    shown = view(named("a", value, unit=unit), named("b", 50, unit=unit), max=most)
    assert next(bar.fill for bar in shown.bars if bar.name == "a") == fill


@pytest.mark.parametrize(("value", "level"), [(10, "ok"), (80, "warn"), (96.4, "critical")])
def test_thresholds_make_a_level(value: float, level: str) -> None:
    (bar,) = view(named("a", value, unit="percent"), thresholds={"warn": 80, "critical": 95}).bars
    assert bar.level is not None
    assert bar.level.name == level


def test_without_thresholds_there_is_no_level() -> None:
    assert view(named("a", 1)).bars[0].level is None


def test_a_series_that_ended_says_so() -> None:
    shown = view(named("a", 2), named("b", 1, age_s=600))
    assert [bar.stale for bar in shown.bars] == [False, True]


def test_values_are_shown_in_their_unit() -> None:
    assert str(view(named("a", 1536, unit="bytes")).bars[0].value) == "1.50\u202fKiB"
    assert str(view(named("a", 15, unit="bytes"), unit="orders").bars[0].value) == "15\u202forders"


def test_nothing_and_no_numbers_are_no_bars() -> None:
    assert view() == view(named("a", math.nan)) == BarsView((), 0)
    assert view(named("a", 0)).bars[0].fill == "0.0%"
