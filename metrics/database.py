"""The database as something that may be away: which errors say so, and waiting for it no longer than one wants to.

Everything that has to tell "try again" from "this is wrong" asks here. States are those of
https://www.postgresql.org/docs/current/errcodes-appendix.html, codes those of https://www.sqlite.org/rescode.html.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial, update_wrapper
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection, transaction

RETRY_AFTER_S = "5"
BEST_EFFORT_S = 0.25

NO_ANSWER = "The database does not answer"
READ_ONLY = "The database is read-only just now"
FULL = "The disk of the database is full"
BUSY = "The database is busy"
FILES = "The database can't use its files"
DAMAGED = "The database is damaged"

_STATES = {
    "25006": READ_ONLY,
    "25P03": NO_ANSWER,
    "25P04": NO_ANSWER,
    "40001": BUSY,
    "40P01": BUSY,
    "53100": FULL,
    "55P03": BUSY,
    "57014": BUSY,
    "58030": FILES,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
_CLASSES = {"08": NO_ANSWER, "53": BUSY, "57": NO_ANSWER}
_CODES = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_INTERRUPT: BUSY,
    sqlite3.SQLITE_NOMEM: BUSY,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_PERM: FILES,
    sqlite3.SQLITE_IOERR: FILES,
    sqlite3.SQLITE_CANTOPEN: FILES,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def unavailable(error: BaseException | None) -> str:
    """Return why the database can't do its work just now, "" if `error` means something else.

    The former is a sentence without its full stop: the same may well succeed later. Else what it was asked is at
    fault, and asking again changes nothing.
    """
    if not isinstance(error, Error):
        return ""
    driver = error.__cause__
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return _CODES.get(code & 0xFF, "")  # the other bits say more of the same
    state = getattr(driver, "sqlstate", None)
    if state is None:
        return NO_ANSWER if isinstance(error, OperationalError | InterfaceError) else ""
    return _STATES.get(state) or _CLASSES.get(state[:2], "")


def best_effort(note: Callable[[], object]) -> None:
    """Try a small write while somebody reads. The read neither fails nor waits for long if the write does."""
    with suppress(Error), impatient(BEST_EFFORT_S):
        note()


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Run the block in a transaction in which no statement lasts, and nothing waits for a lock, longer than `seconds`.

    Raises django.db.Error, for which `unavailable` has a word, when that is over.
    """
    limit_ms = round(seconds * 1000)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute(
                    "SELECT set_config(name, %s, true) FROM unnest(%s::text[]) name", [f"{limit_ms}ms", _LIMITS]
                )
                yield
            return
        usual_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {limit_ms}")
        try:
            with transaction.atomic():
                yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual_ms}")


_LIMITS = ["statement_timeout", "lock_timeout"]


def after_commit(act: Callable[..., object], *given: Any) -> None:
    """Call `act` with what is `given` once the transaction around this commits; what it raises is only logged.

    Django's `robust` alone raises for a `partial`: it logs the name of a function, which that has not.
    """
    transaction.on_commit(update_wrapper(partial(act, *given), act), robust=True)
