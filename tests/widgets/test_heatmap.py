"""Heat maps: where a value stands, in which colour, and what is said of it."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from metrics.series.read import Point
from metrics.widgets.base import Named
from metrics.widgets.heatmap import HOUR_S, Heatmap, HeatmapConfig, HeatmapView
from tests.widgets.make import AT, config, named, window

TWO_DAYS = {"days": 2}
BUCKETS = {"of": "buckets", "unit": "seconds"}
PLAIN = str.maketrans({"\u202f": " ", "\u2264": "<"})


def hours(values: dict[float, float], unit: str = "") -> Named:
    """Return a series with values at so many hours ago."""
    return named("web", 1.0, {HOUR_S * ago: value for ago, value in values.items()}, unit=unit)


def bucket(le: str, *values: float) -> Named:
    """Return a bucket with these rates, of the first columns of the last hour."""
    points = [Point(AT + 30 - HOUR_S + 90 * place, value) for place, value in enumerate(values)]
    made = named(le, 1.0, points, unit="/s")
    return Named(le, replace(made.track, labels={"le": le}))


def view(*series: Named, **fields: Any) -> HeatmapView:
    checked = HeatmapConfig.model_validate(config(**fields))
    return Heatmap().view(checked, list(series), Heatmap().window(checked, window()))


def drawn(found: HeatmapView) -> dict[int, str]:
    return {cells.level: cells.path for cells in found.cells}


@pytest.mark.parametrize(
    ("zone", "values", "cells"),
    [
        ("UTC", {0: 7}, {3: "M12 1h1"}),
        ("UTC", {0: 14, 1: 0}, {0: "M11 1h1", 6: "M12 1h1"}),
        ("UTC", {24: 5, 23: 5, 0: 5}, {3: "M12 0h2M12 1h1"}),
        ("UTC", {37: 9, 36: 1}, {3: "M0 0h1"}),
        ("Asia/Kathmandu", {0: 7, 18: 0}, {0: "M23 0h1", 6: "M17 1h1"}),
        ("UTC", {0: float("nan"), 1: float("inf"), 2: 3}, {3: "M10 1h1"}),
        ("UTC", {0: 1e308, 1: -1e308, 2: 0}, {3: "M10 1h1", 0: "M11 1h1", 6: "M12 1h1"}),
        ("UTC", {}, {}),
    ],
)
def test_an_hour_has_its_place_on_the_wall_and_its_colour(
    zone: str, values: dict[float, float], cells: dict[int, str]
) -> None:
    with timezone.override(ZoneInfo(zone)):
        found = view(hours(values), **TWO_DAYS)
    assert (found.columns, found.rows, found.has_gaps) == (24, 2, True)
    assert drawn(found) == cells


def test_the_hour_that_comes_twice_is_the_mean_of_both() -> None:
    """In New York, 06:00 and 05:00 UTC on 1 November were both 01:00."""
    ago = (AT - 1_793_512_800) / HOUR_S
    with timezone.override(ZoneInfo("America/New_York")):
        found = view(hours({ago: 30, ago + 1: 10, ago - 1: 40}), days=31)
    assert (found.least, found.said) == ("20", "least 20 at Sun 1 01:00, most 40 at Sun 1 02:00")


def test_it_is_said_when_it_was_least_and_most() -> None:
    found = view(hours({0: 93, 1: 50, 20: 2}, unit="percent"), **TWO_DAYS)
    assert found.said.translate(PLAIN) == "least 2.0 % at Thu 19 16:00, most 93.0 % at Fri 20 12:00"
    assert [tick.text for tick in found.names] == ["Thu 19", "Fri 20"]
    assert (view().cells, view().said) == ((), "")


def test_several_series_are_one() -> None:
    two = [hours({0: 10, 1: 0}, unit="percent"), hours({0: 20, 1: 0}, unit="percent")]
    assert view(*two).most.translate(PLAIN) == "15.0 %"
    assert view(*two, combine="max").most.translate(PLAIN) == "20.0 %"


def test_a_bucket_has_what_is_not_in_the_one_below() -> None:
    found = view(bucket("+Inf", 10, 10), bucket("0.1", 4, 10), bucket("0.5", 10, 10), bucket("?", 9), **BUCKETS)
    assert [tick.text.translate(PLAIN) for tick in found.names] == ["more", "< 500 ms", "< 100 ms"]
    assert drawn(found) == {2: "M0 2h1", 4: "M0 1h1", 6: "M1 2h1"}
    assert (found.columns, found.has_gaps) == (40, False)
    assert found.said.translate(PLAIN) == "most 10 /s at Fri 11:02, < 100 ms"


def test_buckets_with_the_same_bound_are_summed_and_what_is_under_a_gap_is_unknown() -> None:
    assert view(bucket("1", 3), bucket("1", 4), **BUCKETS).most.translate(PLAIN).startswith("7")
    assert view(bucket("1", 9, 9), bucket("0.5", 9), **BUCKETS).said.translate(PLAIN).endswith("< 500 ms")


def test_many_bounds_become_fewer_and_a_fragment_stays_small() -> None:
    many = [
        bucket(str(bound), *((bound * 7919 + place) % 97 + 97 * bound for place in range(40))) for bound in range(1, 60)
    ]
    found = view(*many, **BUCKETS)
    assert (found.rows, len(found.names)) == (20, 7)
    assert len(render_to_string("widgets/heatmap.html", {"view": found}).encode()) < 12_000
    month = view(hours({ago: ago * 7919 % 97 for ago in range(31 * 24)}), days=31)
    assert len(render_to_string("widgets/heatmap.html", {"view": month}).encode()) < 12_000
