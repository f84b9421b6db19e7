"""Rows as text and back."""

import json
import sqlite3
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.backends.sqlite3.base import DatabaseWrapper
from hypothesis import given
from hypothesis import strategies as st

from dashboard_project.backup import copytext, schema

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "boolean": st.integers(0, 1),
    "text": st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    "json": st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text()).map(json.dumps),
    "datetime": st.datetimes().map(str),
    "time": st.times().map(str),
    "address": st.ip_addresses().map(str).map(models.GenericIPAddressField().get_prep_value),
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
        ("text", "a\tb\nc\rd\\e\bf\fg\v", "a\\tb\\nc\\rd\\\\e\\bf\\fg\\v"),
        ("bytes", b"\x00\xff\\", "\\\\x00ff5c"),
        ("boolean", 1, "t"),
        ("datetime", "2026-11-28 11:00:00.500000", "2026-11-28 11:00:00.500000+00"),
        ("float", 0.1, "0.1"),
        ("uuid", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_it_is_what_postgresql_writes(kind: str, value: Any, text: str) -> None:
    assert list(copytext.write([[value]], [kind])) == [f"{text}\n".encode()]


MOMENTS = [(2026, 11, 28, 11, 0, 0, us) for us in (0, 1, 100_000, 123_450, 999_999)] + [(1, 1, 1, 0, 0, 0, 0)]
STORED: list[tuple[Any, list[Any]]] = [
    (models.BooleanField(), [True, False]),
    (models.BigIntegerField(), [-(2**63), 0, 2**63 - 1]),
    (models.FloatField(), [0.1, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 1 / 3, float("inf"), float("-inf")]),
    (models.TextField(), ["", "\\N", "\\.", "ü \U0001f600", *map(chr, range(1, 256))]),
    (models.BinaryField(), [b"", bytes(range(256))]),
    (models.UUIDField(), [UUID(int=1), UUID(int=2**128 - 1)]),
    (models.DateTimeField(), [datetime(*one, tzinfo=UTC) for one in MOMENTS]),
    (models.TimeField(), [time(*one[3:]) for one in MOMENTS]),
    (models.GenericIPAddressField(), ["10.0.0.1", "::", "::1", "::ffff:10.0.0.1", "::a00:1", "1:0:2::3"]),
    (models.JSONField(), [1.5, 1e-7, 'ü \U0001f600 \\ " \b\f\v\n\t\x01\x7f /', [], {"a": [1, {"ü": True}], "bb": {}}]),
]
"""Values by the field that holds them. In JSON there is none that PostgreSQL itself changes, such as 1e22."""


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "sqlite", reason="PostgreSQL writes it")
def test_what_postgresql_writes_is_read_as_django_writes_it_to_sqlite() -> None:
    sqlite: Any = DatabaseWrapper({**connection.settings_dict, "NAME": ":memory:", "OPTIONS": {}})
    wrong = []
    for field, values in STORED:
        kind, type = schema.kind(field), str(field.db_type(connection))
        for value in values:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL TimeZone = 'UTC'")
                given = field.get_db_prep_save(value, connection)
                with cursor.copy(f"COPY (SELECT CAST(%s AS {type})) TO STDOUT", [given]) as copy:
                    line = b"".join(bytes(block) for block in copy).decode()
            ((read,),) = copytext.read([line], [kind])
            if read != (meant := field.get_db_prep_save(value, sqlite)):
                wrong.append((kind, line, read, meant))
    assert wrong == []
    assert {schema.kind(field) for field, _ in STORED} == set(copytext.FROM_TEXT)


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
