"""Tables: rows by labels, columns by queries."""

from dataclasses import replace
from typing import Any

import pytest

from metrics.widgets.base import Named
from metrics.widgets.table import Table, TableConfig, TableView
from metrics.widgets.thresholds import CRITICAL, OK
from tests.widgets.make import named, steps, window

QUERIES = [{"metric": "cpu", "legend": "CPU"}, {"metric": "disk"}]


def one(of: int, value: float | None, *points: Any, age_s: float = 2.0, **labels: str) -> Named:
    made = named("any", value, steps(7, window()) if points else (), age_s=age_s)
    return Named("any", replace(made.track, labels=labels), of)


def view(*series: Named, **fields: Any) -> TableView:
    fields = {"queries": QUERIES, **fields}
    return Table().view(TableConfig.model_validate(fields), list(series), window())


def rows(found: TableView) -> list[list[str]]:
    return [[*row.labels, *(str(cell.value) for cell in row.cells)] for row in found.rows]


HOSTS = [
    one(0, 1, host="a", zone="x"),
    one(0, 3, host="b", zone="x"),
    one(0, 2, host="c", zone="x"),
    one(1, 30, host="a", zone="x"),
    one(1, 10, host="c", zone="x"),
]


def test_a_row_is_what_has_the_same_labels_and_those_that_differ_are_shown() -> None:
    found = view(*HOSTS)
    assert found.labels == ("host",)
    assert [(column.name, column.sorted) for column in found.columns] == [("CPU", "descending"), ("disk", "")]
    assert rows(found) == [["b", "3", "None"], ["c", "2", "10"], ["a", "1", "30"]]


@pytest.mark.parametrize(
    ("fields", "order"),
    [
        ({"sort": 1}, "bca"),
        ({"sort": 1, "ascending": True}, "acb"),
        ({"sort": 2}, "acb"),
        ({"sort": 2, "ascending": True}, "cab"),
        ({"sort": 0}, "abc"),
        ({"sort": 7}, "abc"),
    ],
)
def test_rows_are_in_order_and_those_without_a_value_come_last(fields: dict[str, Any], order: str) -> None:
    assert "".join(row[0] for row in rows(view(*HOSTS, **fields))) == order


def test_chosen_columns_make_the_rows() -> None:
    found = view(*HOSTS, columns=["zone", "host"])
    assert found.labels == ("zone", "host")
    assert rows(found)[0] == ["x", "b", "3", "None"]


def test_series_that_chosen_columns_do_not_tell_apart_are_rows_of_their_own() -> None:
    series = [one(0, 40, mount="/", host="a"), one(0, 99, mount="/", host="b"), one(0, 7, mount="/data", host="a")]
    found = view(*series, one(1, 5, mount="/", host="b"), columns=["mount"])
    assert found.labels == ("mount", "host")
    assert rows(found) == [["/", "b", "99", "5"], ["/", "a", "40", "None"], ["/data", "", "7", "None"]]


def test_a_single_row_shows_all_its_labels() -> None:
    assert view(HOSTS[0]).labels == ("host", "zone")


def test_what_has_no_room_is_counted() -> None:
    found = view(*HOSTS, rows=1)
    assert (len(found.rows), found.more) == (1, 2)


def test_cells_have_the_level_of_their_column() -> None:
    found = view(*HOSTS, thresholds=[{"warn": 2, "critical": 3}, {}])
    assert [[cell.level and cell.level.name for cell in row.cells] for row in found.rows] == [
        ["critical", None],
        ["warn", None],
        ["ok", None],
    ]


def test_what_is_beyond_its_rows_counts_as_bad_as_it_is() -> None:
    found = view(*HOSTS, rows=1, thresholds=[{"critical": 1, "warn": 2, "direction": "below"}])
    assert (found.rows[0].cells[0].level, found.more, found.worse, found.level) == (
        OK,
        2,
        ", 1 critical, 1 warning",
        CRITICAL,
    )
    assert (found.rows[0].cut.more, found.rows[0].cut.worse) == (2, found.worse)
    assert view(one(0, 1, host="a", age_s=900), thresholds=[{"critical": 1}]).level is None


def test_what_ended_is_stale() -> None:
    [row] = view(one(0, 1, age_s=900, host="a")).rows
    assert row.cells[0].stale


def test_hidden_queries_have_no_column() -> None:
    queries = [{"metric": "cpu", "name": "A", "hidden": True}, {"metric": "disk"}]
    expressions = [{"expression": "A * 2"}]
    found = view(one(1, 5, host="a"), one(2, 6, host="a"), queries=queries, expressions=expressions)
    assert [column.name for column in found.columns] == ["disk", "A * 2"]
    assert rows(found) == [["a", "5", "6"]]


def test_a_sparkline_of_the_first_column() -> None:
    assert view(one(0, 7, True, host="a")).has_sparks
    assert not view(one(0, 7, True, host="a"), sparkline=False).has_sparks
    assert not view(one(0, 7, host="a")).has_sparks


def test_no_series_are_no_rows() -> None:
    assert view().rows == ()


@pytest.mark.parametrize(
    ("query", "heading"),
    [
        ({"promql": "up"}, "up"),
        ({"promql": "up", "legend": "Up"}, "Up"),
        ({"promql": "up", "legend": "{{instance}}"}, "up"),
        ({"promql": "sum by (instance) (rate(http_requests_total[5m]))"}, "sum by (instance) (rate(http_requests_t…"),
    ],
)
def test_a_column_of_a_live_query_is_headed_by_its_legend_or_promql(query: dict[str, Any], heading: str) -> None:
    found = view(one(0, 1, host="a"), queries=[{"source": "prom", **query}])
    assert [column.name for column in found.columns] == [heading]
