"""Queries of a widget: functions, groups, the largest, and calculations with them."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from metrics.models import Widget
from metrics.sample import Sample
from metrics.series import calculate
from metrics.series.read import Track
from metrics.series.write import write
from metrics.widgets.bars import Bars, BarsConfig
from metrics.widgets.base import Named
from metrics.widgets.line_config import LineConfig
from metrics.widgets.number import Number, NumberConfig
from metrics.widgets.ranges import window
from metrics.widgets.render import _asked, _series, render
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def requests() -> None:
    """Three machines in two places, each of which counts requests and errors for ten minutes."""
    for host, dc, a_second, errors in (("a", "x", 1, 0.5), ("b", "x", 2, 0.5), ("c", "y", 4, 0.2)):
        labels = {"host": host, "dc": dc}
        write(
            [
                sample
                for before in range(600, 0, -15)
                for sample in (
                    Sample("requests_total", (600 - before) * a_second, labels, AT - before, type="counter"),
                    Sample("errors_total", (600 - before) * a_second * errors, labels, AT - before, type="counter"),
                )
            ],
            None,
            AT,
        )


def shown(queries: list[dict[str, Any]], **fields: Any) -> list[tuple[str, float]]:
    config = BarsConfig.model_validate({"queries": queries, **fields})
    kind: Any = Bars()
    seen_from = window("15m", AT)
    series = _series(config, calculate.tracks_of_all(_asked(kind, config, seen_from), AT), seen_from)
    return [(one.name, round(value_of(one), 6)) for one in series]


def value_of(one: Named) -> float:
    assert one.track.latest
    return one.track.latest.value


def test_counters_are_shown_as_rates() -> None:
    assert shown([{"metric": "requests_total", "legend": "{host}"}]) == [("a", 1), ("b", 2), ("c", 4)]


def test_a_label_that_a_series_lacks_is_called_by_its_name_in_a_legend() -> None:
    write([Sample("m", 1, {}, AT)], None, AT)
    assert shown([{"metric": "m", "legend": "{rack} {__name__}"}]) == [("rack m", 1)]


@pytest.mark.parametrize("over", ["20s", "5m"])
def test_a_rate_may_have_a_window_of_its_own(over: str) -> None:
    assert shown([{"metric": "requests_total", "legend": "{host}", "over": over}]) == [("a", 1), ("b", 2), ("c", 4)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"over": "five"}, "'five' is not a period such as 10s, 5m, 1h30m or 1d."),
        ({"over": "31d"}, "31d is longer than 30d."),
        ({"over": "5m", "function": "avg"}, "over is for rates, and the function is avg"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(query: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BarsConfig.model_validate({"queries": [{"metric": "m", **query}]})


def test_series_are_put_together_by_labels() -> None:
    assert shown([{"metric": "requests_total", "group_by": ["dc"]}]) == [("x", 3), ("y", 4)]
    assert shown([{"metric": "requests_total", "group_by": [], "aggregate": "max", "legend": "all"}]) == [("all", 4)]


def test_only_the_largest_are_shown() -> None:
    assert shown([{"metric": "requests_total", "top": 2, "legend": "{host}"}]) == [("c", 4), ("b", 2)]


def test_a_share_is_calculated_for_each() -> None:
    queries = [
        {"metric": "errors_total", "name": "A", "hidden": True},
        {"metric": "requests_total", "name": "B", "hidden": True},
    ]
    expressions = [{"expression": "A / B * 100", "legend": "{host}", "unit": "percent"}]
    assert shown(queries, expressions=expressions) == [("a", 50), ("b", 50), ("c", 20)]


def test_a_quantile_is_of_what_is_shown() -> None:
    found = shown([{"metric": "requests_total", "function": "quantile", "quantile": 0, "legend": "{host}"}])
    assert found == [("a", 0), ("b", 0), ("c", 0)]


def test_it_is_drawn() -> None:
    config = {
        "queries": [
            {"metric": "errors_total", "name": "A", "hidden": True, "group_by": []},
            {"metric": "requests_total", "name": "B", "hidden": True, "group_by": []},
        ],
        "expressions": [{"expression": "A / B", "legend": "errors", "unit": "ratio"}],
    }
    html = render(Widget(pk=1, kind="line", title="Errors", config=config), "15m", AT)
    assert "errors" in html
    assert "32.9" in html


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expressions": [{"expression": "A /"}]}, "can't be read"),
        ({"expressions": [{"expression": "A / C"}]}, "no query is named C"),
        ({"queries": [{"metric": "m", "name": "A"}, {"metric": "n", "name": "A"}]}, "the same name"),
        ({"queries": [{"metric": "m", "hidden": True}]}, "nothing to show"),
        ({"queries": [{"metric": "m", "function": "median"}]}, "Input should be"),
        ({"queries": [{"metric": "m", "quantile": 2}]}, "less than or equal to 1"),
    ],
)
def test_what_can_not_be_shown_is_refused(fields: dict[str, Any], said: str) -> None:
    config = {"queries": [{"metric": "m", "name": "A"}, {"metric": "n", "name": "B"}], **fields}
    with pytest.raises(ValidationError, match=said):
        LineConfig.model_validate(config)


SUM, GROUP = {"metric": "seats"}, {"metric": "seats", "group_by": []}
NAMED = [{**GROUP, "name": "A", "hidden": True}, {**GROUP, "metric": "tables", "name": "B", "hidden": True}]


@pytest.mark.parametrize("every_s", [None, 60.0])
@pytest.mark.parametrize(
    "fields",
    [
        {"queries": [SUM]},
        {"queries": [{**SUM, "function": "max"}]},
        {"queries": [{**SUM, "function": "quantile", "quantile": 1}]},
        {"queries": [GROUP]},
        *({"queries": NAMED, "expressions": [{"expression": text}]} for text in ("A + B", "A - B / 2", "A * 1 + B")),
    ],
)
def test_a_constant_sum_of_series_that_come_in_turn_does_not_change(
    fields: dict[str, Any], every_s: float | None
) -> None:
    for row, offset in (("1", 5), ("2", 25), ("3", 45)):
        times = [AT - offset - 60 * i for i in range(60)]
        write([Sample(name, 100, {"row": row}, at) for at in times for name in ("seats", "tables")], None, AT)
    config = NumberConfig.model_validate({**fields, "every_s": every_s})
    kind: Any = Number()
    seen_from = window("15m", AT)
    found = calculate.tracks_of_all(_asked(kind, config, seen_from), AT)

    def change(tracks: list[list[Track]]) -> str:
        shown = kind.view(config, _series(config, tracks, seen_from), seen_from)
        assert shown.change is not None
        return str(shown.change.amount)

    assert change(found) == "no change"
    # Without what was before the window, the sum dips where it begins: so these cases would notice.
    assert change([[replace(track, before=None) for track in tracks] for tracks in found]) != "no change"
