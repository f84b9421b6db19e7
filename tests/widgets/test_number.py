"""The number: newest value, change, sparkline."""

import re
from typing import Any

import pytest

from metrics.series.read import Point
from metrics.widgets.number import Number, NumberConfig, NumberView
from tests.widgets.make import config, named, steps, window

WINDOW = window("1h")


def view(*series: Any, **fields: Any) -> NumberView:
    return Number().view(NumberConfig.model_validate(config(**fields)), list(series), WINDOW)


def two_windows(now: float, before: float) -> list[Point]:
    return [*steps(before, WINDOW, 2, of=1), *steps(now, WINDOW)]


def text(shown: Any) -> str:
    return str(shown).replace("\u202f", " ")


def test_without_series_there_is_no_value() -> None:
    assert view() == NumberView(None)
    assert view(named("a")) == NumberView(None)


def test_it_shows_the_newest_value_not_the_mean_of_the_last_step() -> None:
    assert text(view(named("a", 42.1, steps(10, WINDOW), unit="percent")).value) == "42.1 %"


COMBINED = [
    # unit, configured, expected of the values 1, 2 and 6
    ("count", None, "9"),
    ("bytes", None, "9 B"),
    ("percent", None, "3.0 %"),
    ("seconds", None, "3.00 s"),
    ("count", "avg", "3"),
    ("count", "max", "6"),
    ("percent", "min", "1.0 %"),
]


@pytest.mark.parametrize(("unit", "how", "expected"), COMBINED)
def test_several_series_become_one(unit: str, how: str | None, expected: str) -> None:
    shown = view(*(named(str(value), value, unit=unit) for value in (1, 2, 6)), combine=how)
    assert text(shown.value) == expected
    assert shown.note.endswith("of 3")


def test_a_series_that_ended_is_left_out_and_that_is_said() -> None:
    shown = view(named("a", 5), named("b", 7), named("gone", 100, age_s=3600))
    assert text(shown.value) == "12"
    assert shown.note == "sum of 2, 1 stale left out"


def test_when_all_ended_the_last_values_stay() -> None:
    assert text(view(named("a", 5, age_s=3600), named("b", 7, age_s=3600)).value) == "12"


CHANGES = [
    # unit, mean now, mean before, better, way, amount, tone
    ("count", 112, 100, None, "up", "12 %", "plain"),
    ("count", 112, 100, "lower", "up", "12 %", "bad"),
    ("count", 112, 100, "higher", "up", "12 %", "good"),
    ("count", 88, 100, "lower", "down", "12 %", "good"),
    ("count", 100.2, 100, "lower", "up", "0.2 %", "bad"),
    ("count", 100.05, 100, "lower", "flat", "under 0.1 %", "plain"),
    ("count", 101.4, 100, None, "up", "1.4 %", "plain"),
    ("count", 109.96, 100, None, "up", "10 %", "plain"),
    ("count", 0.0003, 1, None, "down", "99.97 %", "plain"),
    ("count", 0.1 + 0.2, 0.3, None, "flat", "no change", "plain"),
    ("count", 0.00042, 0, None, "up", "0.00042", "plain"),
    ("percent", 99.97, 99.94, "higher", "up", "0.03 pts", "good"),
    ("percent", 99.97, 99.9699, "higher", "flat", "under 0.01 pts", "plain"),
    ("count", 3, 0, None, "up", "3", "plain"),
    ("count", 0, 0, "lower", "flat", "no change", "plain"),
    ("count", 0, 4, None, "down", "100 %", "plain"),
    ("count", -50, -100, None, "up", "50 %", "plain"),
    ("percent", 45, 42, None, "up", "3.0 pts", "plain"),
    ("ratio", 0.45, 0.42, None, "up", "3.0 pts", "plain"),
]


@pytest.mark.parametrize(("unit", "now", "before", "better", "way", "amount", "tone"), CHANGES)
def test_the_change_compares_with_the_window_before(
    unit: str, now: float, before: float, better: str | None, way: str, amount: str, tone: str
) -> None:
    change = view(named("a", now, two_windows(now, before), unit=unit), better=better).change
    assert change is not None
    assert (change.way, text(change.amount), change.tone, change.than) == (way, amount, tone, "previous hour")


def test_there_is_no_change_without_most_of_the_window_before() -> None:
    points = [*steps(5, WINDOW, 2, of=1)[-20:], *steps(9, WINDOW)]
    assert view(named("a", 9, points)).change is None
    assert view(named("a", 9, steps(9, WINDOW))).change is None


LEVELS = [
    (79.9, "above", "ok", "OK"),
    (80.0, "above", "warn", "Warning"),
    (95.0, "above", "critical", "Critical"),
    (96.0, "below", "ok", "OK"),
    (80.0, "below", "critical", "Critical"),
]


@pytest.mark.parametrize(("value", "direction", "name", "word"), LEVELS)
def test_thresholds_make_a_level_with_a_word(value: float, direction: str, name: str, word: str) -> None:
    level = view(named("a", value), thresholds={"warn": 80, "critical": 95, "direction": direction}).level
    if direction == "below":
        level = view(named("a", value), thresholds={"warn": 90, "critical": 85, "direction": direction}).level
    assert level is not None
    assert (level.name, level.word) == (name, word)


def test_without_thresholds_there_is_no_level() -> None:
    assert view(named("a", 1)).level is None


def test_the_sparkline_shows_this_window_only() -> None:
    spark = view(named("a", 5, two_windows(5, 5000))).spark
    assert spark is not None
    assert re.fullmatch(r"M\d+ 100l\d+ 0", spark.line)


def test_the_sparkline_has_a_gap_where_the_data_has_one() -> None:
    points = steps(5, WINDOW)
    spark = view(named("a", 5, [*points[:40], *points[80:]])).spark
    assert spark is not None
    assert spark.line.count("M") == spark.area.count("M") == 2


def test_too_little_for_a_line_is_no_sparkline() -> None:
    assert view(named("a", 5, steps(5, WINDOW)[:1])).spark is None


def test_it_tells_how_wide_its_value_is() -> None:
    texts = [
        view(named("a", value, unit=unit)).ems for value, unit in ((7, ""), (42.1, "percent"), (1e12, "wide orders"))
    ]
    assert texts == sorted(set(texts))


def test_decimals_and_unit_can_be_set() -> None:
    assert text(view(named("a", 3, unit="bytes"), unit="orders", decimals=1).value) == "3.0 orders"
