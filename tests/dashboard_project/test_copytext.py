"""Rows as text and back."""

import sqlite3
from typing import Any

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from dashboard_project.backup import copytext, schema

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "boolean": st.integers(0, 1),
    "text": st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    "time": st.datetimes().map(str),
    "bytes": st.binary(max_size=300),
    "uuid": st.uuids().map(lambda value: value.hex),
}
KINDS = list(VALUES)
ROWS = st.lists(st.tuples(*(st.none() | VALUES[kind] for kind in KINDS)), max_size=5)


@given(ROWS)
def test_what_is_written_is_read(rows: list[tuple[Any, ...]]) -> None:
    lines = list(copytext.write(rows, KINDS))
    assert all(line.count(b"\n") == 1 for line in lines)
    assert list(map(tuple, copytext.read((line.decode() for line in lines), KINDS))) == rows


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", None, "\\N"),
        ("text", "\\N", "\\\\N"),
        ("text", "a\tb\nc\rd\\", "a\\tb\\nc\\rd\\\\"),
        ("bytes", b"\x00\xff\\", "\\\\x00ff5c"),
        ("boolean", 1, "t"),
        ("time", "2026-11-28 11:00:00.5", "2026-11-28 11:00:00.5+00"),
        ("float", 0.1, "0.1"),
        ("uuid", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_it_is_what_postgresql_writes(kind: str, value: Any, text: str) -> None:
    assert list(copytext.write([[value]], [kind])) == [f"{text}\n".encode()]


@pytest.mark.parametrize("line", ["", "1\t2\n", "x\n"])
def test_another_line_is_an_error(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever it says)
        list(copytext.read([line], ["integer"]))


def test_every_column_there_is_has_a_kind() -> None:
    tables = [schema.table(model) for model in apps.get_models(include_auto_created=True)]
    assert {kind for table in tables for kind in table.kinds} <= set(copytext.TO_TEXT) == set(copytext.FROM_TEXT)


def test_sqlite_holds_what_is_expected() -> None:
    held = sqlite3.connect(":memory:").execute("SELECT 1, 1.5, 'a', x'00'").fetchone()
    assert list(copytext.write([held], ["integer", "float", "text", "bytes"])) == [b"1\t1.5\ta\t\\\\x00\n"]
