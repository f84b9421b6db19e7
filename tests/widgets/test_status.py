"""The status: up and down, by name."""

from typing import Any

import pytest

from metrics.widgets.status import Status, StatusConfig, StatusView
from tests.widgets.make import config, named, window


def view(*series: Any, **fields: Any) -> StatusView:
    return Status().view(StatusConfig.model_validate(config(**fields)), list(series), window())


CELLS = [
    # newest value, its age, up from, state, word
    (1, 2, 1, "up", "up"),
    (200, 2, 1, "up", "up"),
    (0, 2, 1, "down", "down"),
    (0.5, 2, 1, "down", "down"),
    (0.5, 2, 0.5, "up", "up"),
    (1, 600, 1, "stale", "stale, was up"),
    (0, 600, 1, "stale", "stale, was down"),
    (None, 0, 1, "nodata", "no data"),
]


@pytest.mark.parametrize(("value", "age_s", "up_at_least", "state", "word"), CELLS)
def test_a_cell_is_up_or_down_and_says_so(
    value: float | None, age_s: float, up_at_least: float, state: str, word: str
) -> None:
    (cell,) = view(named("a", value, age_s=age_s), up_at_least=up_at_least).cells
    assert (cell.name, cell.state, cell.word) == ("a", state, word)


@pytest.mark.parametrize(("value", "state"), [(1, "up"), (0.5, "late"), (0.4, "down")])
def test_below_up_something_may_be_late(value: float, state: str) -> None:
    shown = view(named("backup", value), named("other", 1), late_at_least=0.5)
    assert {cell.name: cell.word for cell in shown.cells}["backup"] == state
    assert shown.summary == ("All 2 up" if state == "up" else f"1 {state} · 1 up")


def test_what_is_down_comes_first_then_what_is_not_known_then_by_name() -> None:
    shown = view(named("d", 1), named("c", 1), named("b", None), named("z", 0), named("a", 1, age_s=600))
    assert [cell.name for cell in shown.cells] == ["z", "a", "b", "c", "d"]
    assert shown.summary == "1 down · 1 stale · 1 without data · 2 up"


@pytest.mark.parametrize(("count", "summary"), [(0, ""), (1, "Up"), (3, "All 3 up")])
def test_the_summary_of_what_is_well_is_short(count: int, summary: str) -> None:
    assert view(*(named(str(i), 1) for i in range(count))).summary == summary


@pytest.mark.parametrize(("up", "down", "side", "bad_side"), [(1, 0, 1, 0), (3, 1, 2, 1), (4, 2, 3, 2), (30, 5, 6, 3)])
def test_the_sides_of_the_squares_that_hold_the_cells(up: int, down: int, side: int, bad_side: int) -> None:
    shown = view(*(named(f"{i:03}", i < up) for i in range(up + down)))
    assert (shown.side, shown.bad_side) == (side, bad_side)


def test_of_very_many_the_rest_is_counted() -> None:
    shown = view(*(named(f"{i:03}", i < 99) for i in range(100)))
    assert (len(shown.cells), shown.more, shown.side) == (60, 40, 8)
    assert shown.cells[0].name == "099"


@pytest.mark.parametrize(("down", "cells"), [(70, 70), (200, 200), (500, 300)])
def test_nothing_that_is_down_is_left_out_up_to_three_hundred(down: int, cells: int) -> None:
    shown = view(*(named(f"{i:03}", i < 9) for i in range(down + 9)))
    assert (len(shown.cells), shown.more) == (cells, down + 9 - cells)
    assert {cell.state for cell in shown.cells} == {"down"}
    assert shown.summary == f"{down} down · 9 up"


def test_the_widget_can_say_how_often_data_comes() -> None:
    assert view(named("a", 1, age_s=600), every_s=600).cells[0].state == "up"
