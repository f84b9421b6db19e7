"""Gauges: where a value is on its arc."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.widgets import units
from metrics.widgets.gauge import Gauge, GaugeConfig, GaugeView
from tests.widgets.make import config, named, window


def view(*values: float, unit: str = "", **fields: Any) -> GaugeView:
    series = [named(f"s{number}", value, unit=unit) for number, value in enumerate(values)]
    return Gauge().view(GaugeConfig.model_validate(config(**fields)), series, window())


@pytest.mark.parametrize(
    ("value", "unit", "fields", "fill", "ends"),
    [
        (42, "percent", {}, "42.0", ("0 %", "100 %")),
        (0.25, "ratio", {}, "25.0", ("0 %", "100 %")),
        (150, "", {}, "75.0", ("0", "200")),
        (5, "", {"min": -10, "max": 10}, "75.0", ("-10", "10")),
        (-3, "", {"max": 10}, "0.0", ("0", "10")),
        (12, "", {"max": 10}, "100.0", ("0", "10")),
        (0, "", {}, "0.0", ("0", "1")),
        (float("nan"), "", {}, "0.0", ("0", "1")),
        (float("inf"), "", {}, "100.0", ("0", "1")),
        (10, "", {"thresholds": {"warn": 80, "critical": 100}}, "5.0", ("0", "200")),
        (-50, "", {"min": -100}, "50.0", ("-100", "0")),
    ],
)
def test_the_arc(value: float, unit: str, fields: dict[str, Any], fill: str, ends: tuple[str, str]) -> None:
    found = view(value, unit=unit, **fields)
    assert (found.fill, (found.low, found.high)) == (
        fill,
        tuple(end.replace(" ", units.NARROW_SPACE).replace("-", units.MINUS) for end in ends),
    )


@pytest.mark.parametrize(
    ("limits", "bands"),
    [
        ({"warn": 80, "critical": 95}, [("warn", "0 80.0 15.0 200"), ("critical", "0 95.0 5.0 200")]),
        ({"critical": 90}, [("critical", "0 90.0 10.0 200")]),
        (
            {"warn": 20, "critical": 5, "direction": "below"},
            [("warn", "0 5.0 15.0 200"), ("critical", "0 0.0 5.0 200")],
        ),
        ({"warn": 150}, [("warn", "0 100.0 0.0 200")]),
    ],
)
def test_thresholds_are_bands_beside_the_arc(limits: dict[str, Any], bands: list[tuple[str, str]]) -> None:
    found = view(42, unit="percent", thresholds=limits)
    assert [(band.level, band.dash) for band in found.bands] == bands


def test_a_value_beyond_the_arc_is_said() -> None:
    assert view(12, max=10).outside == "above the scale"
    assert view(-1, max=10).outside == "below the scale"
    assert view(5, max=10).outside == ""


def test_several_series_are_one_value() -> None:
    assert str(view(10, 20, unit="percent").value) == "15.0\u202f%"
    assert str(view(10, 20, combine="max").value) == "20"
    assert view().value is None


def test_ends_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="max has to be more than min"):
        view(1, min=5, max=5)
