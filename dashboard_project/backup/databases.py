"""Differences between the two databases: a snapshot to read, a place to write, and rows in and out of tables."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management.color import no_style
from django.db import connection, transaction

from dashboard_project.backup import copytext
from dashboard_project.backup.archive import BLOCK_BYTES, text
from dashboard_project.backup.errors import BackupError
from dashboard_project.backup.schema import Table

OURS = ("auth_", "axes_", "django_", "metrics_")
"""Prefixes of our tables' names: nothing else in the database is touched."""


class PostgreSQL:
    """Rows as COPY has them, and everything of a restore in one transaction."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that is read be of one moment."""
        with connection.wrap_database_errors, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL TimeZone = 'UTC'")
            cursor.execute("SET LOCAL DateStyle = 'ISO'")
            cursor.execute("SET LOCAL bytea_output = 'hex'")
            cursor.execute("SET LOCAL extra_float_digits = 1")
            yield

    def lines(self, table: Table) -> Iterator[bytes | memoryview]:
        """Yield the rows of `table`, a line each."""
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY ({_select(table)}) TO STDOUT") as copy,
        ):
            yield from copy

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Give an empty database, which is the database once all went well; else everything stays as it was."""
        with connection.wrap_database_errors, transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                for name in connection.introspection.table_names(cursor):
                    if name.startswith(OURS):
                        cursor.execute(f"DROP TABLE IF EXISTS {_quoted(name)} CASCADE")
            yield

    def store(self, table: Table, lines: IO[bytes]) -> int:
        """Store the rows of `table`; return how many."""
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # migrations leave some immediate
            with cursor.copy(f"COPY {_quoted(table.name)} ({_columns(table)}) FROM STDIN") as copy:
                while block := lines.read(BLOCK_BYTES):
                    copy.write(block)
            return int(cursor.rowcount)

    def finish(self, models: Sequence[type[Any]]) -> None:
        """Check what refers to what, and count on from the newest ids."""
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
                cursor.execute(statement)


class SQLite:
    """A restore makes a new file, which takes the old one's place in the end."""

    def __init__(self) -> None:
        self._reading: sqlite3.Connection | None = None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that is read be of one moment. Writers go on: what they write waits in the log until the end."""
        # Not on Django's connection, which would lock writers out, and makes objects of what is stored.
        uri = f"{Path(connection.settings_dict['NAME']).resolve().as_uri()}?mode=ro"
        with (
            connection.wrap_database_errors,
            closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as self._reading,
        ):
            self._reading.execute("BEGIN")
            self._reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield

    def lines(self, table: Table) -> Iterator[bytes | memoryview]:
        """Yield the rows of `table`, a line each."""
        assert self._reading is not None
        return copytext.write(self._reading.execute(_select(table)), table.kinds)

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Give an empty database, which is the database once all went well; else everything stays as it was."""
        name = Path(connection.settings_dict["NAME"])
        made = name.with_name(f"{name.name}.restoring")
        _remove(made)
        connection.close()
        connection.settings_dict["NAME"] = str(made)
        try:
            os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with connection.wrap_database_errors:
                yield
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            connection.settings_dict["NAME"] = str(name)
            if name.exists():
                with connection.cursor() as cursor:  # what its log still holds belongs to it, not to the new one
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.close()
            os.replace(made, name)
        finally:
            connection.close()
            connection.settings_dict["NAME"] = str(name)
            _remove(made)

    def store(self, table: Table, lines: IO[bytes]) -> int:
        """Store the rows of `table`; return how many."""
        connection.ensure_connection()
        connection.disable_constraint_checking()
        places = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {_quoted(table.name)} ({_columns(table)}) VALUES ({places})"  # noqa: S608 (our names)
        raw = connection.connection
        raw.execute("BEGIN")
        stored = raw.executemany(statement, copytext.read(text(lines), table.kinds))
        raw.execute("COMMIT")
        return max(0, int(stored.rowcount))

    def finish(self, models: Sequence[type[Any]]) -> None:
        """Check what refers to what."""
        connection.enable_constraint_checking()
        with connection.cursor() as cursor:
            broken = cursor.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise BackupError(
                f"The backup is not consistent: a row of {broken[0]} refers to one of {broken[2]} that is missing."
            )


def database() -> PostgreSQL | SQLite:
    """Return how to go about the database that is configured."""
    return PostgreSQL() if connection.vendor == "postgresql" else SQLite()


def _select(table: Table) -> str:
    return f"SELECT {_columns(table)} FROM {_quoted(table.name)}"  # noqa: S608 (names of ours)


def _columns(table: Table) -> str:
    return ", ".join(map(_quoted, table.columns))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _remove(file: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
