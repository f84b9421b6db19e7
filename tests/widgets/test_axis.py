"""Marks where a person would put them."""

import math
from zoneinfo import ZoneInfo

import pytest

from metrics.widgets import axis
from tests.widgets.make import AT, window

UTC = ZoneInfo("UTC")
VALUES = [
    # values, unit, low, high, the marks from the bottom, and their unit
    ([12, 57], "percent", None, None, ["0", "20", "40", "60"], "%"),
    ([12, 97], "percent", 0, 100, ["0", "25", "50", "75", "100"], "%"),
    ([12, 130], "percent", 0, 100, ["0", "50", "100", "150"], "%"),
    ([0.1, 0.57], "ratio", None, None, ["0", "20", "40", "60"], "%"),
    ([0], "", None, None, ["0.0", "0.2", "0.4", "0.6"], ""),
    ([5, 5], "", None, None, ["0", "2", "4", "6"], ""),
    ([70.9, 73.2], "percent", None, None, ["68", "70", "72", "74", "76"], "%"),
    ([0.2, 1.9], "", None, None, ["0.0", "0.5", "1.0", "1.5", "2.0"], ""),
    ([3 * 1024**2], "bytes_per_second", 0, None, ["0", "1", "2", "3"], "MiB/s"),
    ([-10, 30], "", None, None, ["\u221210", "0", "10", "20", "30"], ""),
    (
        [1e-9, 5e-9],
        "ratio",
        None,
        None,
        ["0", "2\u00d710\u207b\u2077", "4\u00d710\u207b\u2077", "6\u00d710\u207b\u2077"],
        "%",
    ),
    ([0.004, 0.038], "seconds", None, None, ["0", "10", "20", "30", "40"], "ms"),
    (
        [9.9e149],
        "",
        0,
        None,
        [
            "0",
            "2.5\u00d710\u00b9\u2074\u2079",
            "5\u00d710\u00b9\u2074\u2079",
            "7.5\u00d710\u00b9\u2074\u2079",
            "1\u00d710\u00b9\u2075\u2070",
        ],
        "",
    ),
    ([0.00012, 0.00044], "", 0, None, ["0.0000", "0.0002", "0.0004", "0.0006"], ""),
    ([99.95, 99.99], "percent", 99.95, 100, ["99.96", "99.98", "100.00"], "%"),
    ([995, 1005], "", None, None, ["900", "950", "1 000", "1 050", "1 100"], ""),
    ([0, 4], "orders/s", None, None, ["0", "1", "2", "3", "4"], "orders/s"),
    ([0, 4e16], "wonderful things/s", None, None, ["0", "10", "20", "30", "40"], "P wonde…"),  # P is what matters
]


@pytest.mark.parametrize(("values", "unit", "low", "high", "texts", "symbol"), VALUES)
def test_the_value_axis_has_round_marks(
    values: list[float], unit: str, low: float | None, high: float | None, texts: list[str], symbol: str
) -> None:
    made = axis.value_axis(values, unit, low, high)
    assert [tick.text.replace("\u202f", " ") for tick in made.ticks] == texts
    assert made.unit == symbol
    assert made.low <= min(values) <= max(values) <= made.high


@pytest.mark.parametrize(
    "values", [[], [math.nan], [math.inf, 1], [1e308, -1e308], [5e-324], [1e-300, 2e-300], [1e15, 1e15 + 1], [0, 0]]
)
def test_no_values_break_the_axis(values: list[float]) -> None:
    made = axis.value_axis(values, "bytes")
    assert math.isfinite(made.low)
    assert made.low < made.high
    assert 2 <= len(made.ticks) <= 8
    assert made.widest


def test_the_ends_of_the_axis_are_where_the_marks_say() -> None:
    made = axis.value_axis([0, 100], "percent", 0, 100)
    assert [tick.place for tick in made.ticks] == ["100.0%", "75.0%", "50.0%", "25.0%", "0.0%"]


TIMES = [
    # range, zone, the first marks, how many
    ("15m", "UTC", ["11:50", "11:55"], 2),
    ("1h", "UTC", ["11:10", "11:20", "11:30"], 5),
    ("6h", "UTC", ["07:00", "08:00"], 5),
    ("24h", "UTC", ["16:00", "20:00", "Fri 20", "04:00", "08:00"], 5),
    ("7d", "UTC", ["Sat 14", "Sun 15"], 7),
    ("30d", "UTC", ["Oct 26", "Oct 31", "Nov 5"], 5),
    ("24h", "Asia/Kolkata", ["20:00", "Fri 20", "04:00"], 6),
]


@pytest.mark.parametrize(("range", "zone", "first", "count"), TIMES)
def test_the_time_axis_has_round_marks_by_the_clock_on_the_wall(
    range: str, zone: str, first: list[str], count: int
) -> None:
    shown = window(range)
    texts = [tick.text for tick in axis.time_ticks(shown.start, shown.end, ZoneInfo(zone))]
    assert texts[: len(first)] == first
    assert len(texts) == count


@pytest.mark.parametrize("day", [1_774_742_400.0, 1_792_886_400.0])  # clocks in Zürich change in these nights of 2026
def test_the_hour_that_spring_skips_and_the_one_autumn_repeats(day: float) -> None:
    ticks = axis.time_ticks(day - 3 * 3600, day + 9 * 3600, ZoneInfo("Europe/Zurich"))
    places = [float(tick.place.rstrip("%")) for tick in ticks]
    assert places == sorted(set(places))
    assert len(ticks) >= 4


def test_no_mark_sticks_out_at_an_end() -> None:
    assert next(tick.place for tick in axis.time_ticks(AT, AT + 3600, UTC)) == "16.7%"
