"""Tables become samples: names, labels, times, and what is said of what can't be one."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.sample import Sample
from metrics.sources.base import SourceError
from metrics.sources.databases.table import Table, Unreadable, check_rows, reads, samples

NOON = 1_795_176_000.0


def found(columns: list[str], *rows: tuple[Any, ...], **units: str) -> list[Sample]:
    return samples(Table(columns, rows), "orders", units)


def refusal(columns: list[str], *rows: tuple[Any, ...], **units: str) -> str:
    with pytest.raises(SourceError) as refused:
        found(columns, *rows, **units)
    return str(refused.value)


def test_columns_of_values_are_metrics_and_columns_of_text_are_labels() -> None:
    assert found(["shop", "value", "value_open"], ("berne", 7, 2.5), ("basel", 3, 1), value_open="orders") == [
        Sample("orders", 7.0, {"shop": "berne"}),
        Sample("orders_open", 2.5, {"shop": "berne"}, unit="orders"),
        Sample("orders", 3.0, {"shop": "basel"}),
        Sample("orders_open", 1.0, {"shop": "basel"}, unit="orders"),
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (3, 3),
        (2.5, 2.5),
        (Decimal("12.50"), 12.5),
        (True, 1),
        (False, 0),
        (timedelta(minutes=1, milliseconds=5), 60.005),
    ],
)
def test_what_counts_as_a_number(cell: Any, value: float) -> None:
    assert [one.value for one in found(["value"], (cell,))] == [value]


@pytest.mark.parametrize(
    "cell",
    [
        NOON,
        Decimal(NOON),
        datetime(2026, 11, 20, 12, 0),
        datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 20, 14, 0, tzinfo=timezone(timedelta(hours=2))),
        "2026-11-20 12:00:00",
        "2026-11-20T13:00:00+01:00",
    ],
)
def test_the_column_at_is_the_time_and_utc_unless_it_says_otherwise(cell: Any) -> None:
    assert [one.at for one in found(["at", "value"], (cell, 1))] == [NOON]


def test_a_date_is_its_midnight() -> None:
    assert [one.at for one in found(["at", "value"], (date(2026, 11, 20), 1))] == [NOON - 12 * 3600]


def test_null_is_no_sample_and_no_label() -> None:
    assert found(["shop", "value", "at"], ("berne", None, None), (None, 1, NOON)) == [Sample("orders", 1.0, {}, NOON)]


def test_no_rows_are_no_samples() -> None:
    assert found(["value"]) == []


def test_a_uuid_is_a_label() -> None:
    id = UUID(int=7)
    assert [one.labels for one in found(["id", "value"], (id, 1))] == [{"id": str(id)}]


@pytest.mark.parametrize(
    ("columns", "row", "said"),
    [
        (["value"], ("many",), "Column value in row 2 is text, not a number."),
        (["value"], (b"1",), "Column value in row 2 is bytes, not a number."),
        (["value"], (datetime.now(UTC),), "Column value in row 2 is a time, not a number."),
        (["value"], ([1],), "Column value in row 2 is of the type list, not a number."),
        (["value"], (float("nan"),), "Column value in row 2 is nan, which can't be stored."),
        (["value"], (Decimal("Infinity"),), "Column value in row 2 is Infinity, which can't be stored."),
        (["value"], (10**5000,), "Column value in row 2 is too large."),
        (["value"], (Decimal("sNaN"),), "Column value in row 2 is sNaN, which can't be stored."),
        (["value"], (Unreadable("'infinity'"),), "Column value in row 2 is 'infinity', not a number."),
        (["value", "at"], (1, Unreadable("'infinity'")), "Column at in row 2 is 'infinity', not a time."),
        (["value", "shop"], (1, Unreadable("x")), "Column shop in row 2 is x, and a label has to be text."),
        (["value", "shop"], (1, 5), "Column shop in row 2 is a number, and a label has to be text."),
        (["value", "shop"], (1, b"x"), "Column shop in row 2 is bytes, and a label has to be text."),
        (["value", "at"], (1, None), "Column at in row 2 is NULL, not a time."),
        (["value", "at"], (1, "noon"), "Column at in row 2 is 'noon', not a time."),
        (["value", "at"], (1, True), "Column at in row 2 is true or false, not a time."),
        (["value", "at"], (1, float("inf")), "Column at in row 2 is inf, which can't be stored."),
    ],
)
def test_a_wrong_type_is_left_out_and_named(columns: list[str], row: tuple[Any, ...], said: str) -> None:
    good = {"value": 0, "shop": "x", "at": NOON}
    rows = tuple(good[column] for column in columns), row
    kept = samples(Table(columns, rows), "orders", {})
    assert ([one.value for one in kept], kept.note) == ([0], f"Left out: {said}")
    assert refusal(columns, row) == said.replace("row 2", "row 1")


def test_each_value_that_is_left_out_is_counted() -> None:
    rows = ("a", 1, 2), ("b", float("nan"), 2), ("c", "x", "y")
    kept = samples(Table(["shop", "value", "value_late"], rows), "orders", {})
    assert [(one.metric, one.value) for one in kept] == [("orders", 1), ("orders_late", 2), ("orders_late", 2)]
    assert kept.note == "Left out: Column value in row 2 is nan, which can't be stored. And 2 more."


@pytest.mark.parametrize(
    ("columns", "units", "said"),
    [
        (["orders"], {}, "The query has no column value, and none whose name begins with value_."),
        (["values"], {}, "The query has no column value, and none whose name begins with value_."),
        ([], {}, "The query has no column value, and none whose name begins with value_."),
        (["value", "value"], {}, "The query has two columns value; give one of them another name."),
        (["value"], {"value_open": "s"}, "units names value_open, and the query has no such column of values."),
    ],
)
def test_columns_that_make_no_samples_are_named(columns: list[str], units: dict[str, str], said: str) -> None:
    assert refusal(columns, **units) == said


def test_of_two_rows_of_one_series_at_one_time_the_first_is_kept_and_the_other_named() -> None:
    rows = ("berne", 1), ("basel", 1), ("berne", 2)
    kept = samples(Table(["shop", "value"], rows), "orders", {})
    assert [(one.labels["shop"], one.value) for one in kept] == [("berne", 1), ("basel", 1)]
    assert kept.note == "Left out: Row 3 has the same labels and time as row 1."


def test_a_label_without_a_value_is_the_same_as_none() -> None:
    kept = samples(Table(["shop", "value"], [("", 1), (None, 2)]), "orders", {})
    assert ([one.value for one in kept], kept.note) == (
        [1],
        "Left out: Row 2 has the same labels and time as row 1.",
    )


def test_a_row_that_is_none_is_left_out_and_named() -> None:
    kept = samples(Table(["value"], [Unreadable("no object"), (1,)]), "orders", {})
    assert ([one.value for one in kept], kept.note) == ([1], "Left out: Row 1 is no object.")


def test_two_rows_of_one_series_at_two_times_are_two_samples() -> None:
    assert len(found(["at", "value"], (NOON, 1), (NOON + 1, 1))) == 2


def test_more_rows_than_allowed_are_refused() -> None:
    check_rows([1, 2], 2)
    with pytest.raises(SourceError, match=r"^The query returns more than 1 rows\.$"):
        check_rows([1, 2], 1)


class TestReads:
    @pytest.mark.parametrize(
        "query",
        [
            "SELECT 1",
            "select 1",
            "\n\t (SELECT 1) UNION (SELECT 2)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "VALUES (1)",
            "TABLE orders",
            "-- all of them\nSELECT 1",
            "/* a\n comment */ /**/ SELECT 1",
            "# MySQL's\nSELECT 1",
        ],
    )
    def test_what_reads_does(self, query: str) -> None:
        assert reads(query)

    @pytest.mark.parametrize(
        "query",
        [
            "",
            ";",
            "-- SELECT 1",
            "/* SELECT 1",
            "/*! DROP TABLE orders */ SELECT 1",
            "/*M! DROP TABLE orders */ SELECT 1",
            "INSERT INTO orders VALUES (1)",
            "COPY orders TO PROGRAM 'sh'",
            "SELECTED",
            "PRAGMA user_version = 1",
            "EXPLAIN ANALYZE DELETE FROM orders",
        ],
    )
    def test_what_does_not_does_not(self, query: str) -> None:
        assert not reads(query)

    @given(st.text())
    def test_it_takes_any_text(self, query: str) -> None:
        assert reads(query) in (True, False)


cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.binary(), st.datetimes(),
    st.dates(), st.timedeltas(), st.uuids(), st.lists(st.integers()),
)  # fmt: skip


@given(st.lists(st.tuples(cells, cells, cells), max_size=5))
def test_whatever_a_database_returns_is_samples_or_one_sentence(rows: list[tuple[Any, ...]]) -> None:
    with suppress(SourceError):
        assert all(one.metric == "orders" for one in found(["value", "shop", "at"], *rows))
