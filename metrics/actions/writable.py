"""Whether the database takes writes. A write is tried, since a database that answers may be full."""

import shutil
import threading
from pathlib import Path

from django.db import Error, connection

from metrics.database import FULL, impatient, unavailable
from metrics.models import Probe
from metrics.redis_state import outage

WAITS_S = 3.0
HOLDS_S = 2.0
FREE_LEAST_BYTES = 16 * 1024 * 1024
"""On the disk of an SQLite file: a large push and what is written meanwhile need room beside it."""


class Writable:
    """Result of the last try, valid for `HOLDS_S` seconds: however many ask, the database is asked once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trouble = ""
        self._until = float("-inf")

    def trouble(self, at: float) -> str:
        """Return why nothing can be written, as a sentence without its full stop, "" if it can; `at` is monotonic."""
        with self._lock:  # who comes while one tries waits for the outcome
            if at >= self._until:
                self._trouble = attempt()
                self._until = at + HOLDS_S
            return self._trouble


def attempt() -> str:
    """Write, and return why that failed, "" if it did not. Takes little more than `WAITS_S`."""
    try:
        with impatient(WAITS_S):
            probe = [Probe(id=1)]
            Probe.objects.bulk_create(probe, update_conflicts=True, unique_fields=["id"], update_fields=["at"])
            if connection.vendor == "postgresql":
                _take_room()
    except Error as error:
        reason = unavailable(error) or "The database refuses what is written"
        outage.log(f"the database could not be written: {reason}", error)
        return reason
    return "" if _has_room() else FULL


def _take_room() -> None:
    """Have a new page of a file allocated, as samples need it: a row that is overwritten fits on a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_database_privilege(current_database(), 'TEMPORARY')")
        if cursor.fetchone()[0]:
            cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS probe (at int) ON COMMIT DELETE ROWS")
            cursor.execute("INSERT INTO pg_temp.probe VALUES (0)")


def _has_room() -> bool:
    if connection.vendor != "sqlite":
        return True
    folder = Path(connection.settings_dict["NAME"]).parent
    return shutil.disk_usage(folder).free >= FREE_LEAST_BYTES
