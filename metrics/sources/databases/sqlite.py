"""SQLite: files in folders that the operator allows, opened to be read, with an authorizer that knows nothing else."""

import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

from metrics.sources.base import SourceError
from metrics.sources.databases.table import Table, check_rows
from metrics.sources.server import require_freedom, sentence

WHO = "SQLite"
BUSY_MOST_S = 5.0
STEPS = 20_000
"""How many instructions of SQLite's machine may pass between two looks at the clock: some milliseconds."""
CELL_MOST_BYTES = 1_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
"""What a statement may do; so it can't attach other files, set pragmas, or write into temporary tables either."""


def query(path: str, text: str, rows_most: int, timeout_s: float) -> Table:
    """Return what `text` returns. Raises SourceError."""
    require_freedom("Files")
    file = allowed(path)
    until = time.monotonic() + timeout_s
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(file))}?mode=ro", uri=True, timeout=min(BUSY_MOST_S, timeout_s), isolation_level=None
        )
    except sqlite3.Error as error:
        raise SourceError(sentence(WHO, error)) from None
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_MOST_BYTES)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        cursor = connection.execute(text)
        rows = cursor.fetchmany(rows_most + 1)
        check_rows(rows, rows_most)
        return Table([column[0] for column in cursor.description or ()], rows)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise SourceError(f"It took longer than {timeout_s:g} s.") from None
        raise SourceError(sentence(WHO, error)) from None
    finally:
        connection.close()


def allowed(path: str) -> Path:
    """Return the file that `path` leads to. Raises SourceError if that is outside the folders of SQLITE_DIRS."""
    folders: list[Path] = settings.SQLITE_DIRS
    if not folders:
        raise SourceError("SQLite files are off; SQLITE_DIRS names the folders they may be in.")
    file = Path(path).resolve()
    if not any(file.is_relative_to(folder) for folder in folders):
        raise SourceError(f"{path} is in none of the folders of SQLITE_DIRS.")
    if not file.is_file():
        raise SourceError(f"{path} is no file.")
    return file


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    permitted = action in ALLOWED and (second or "").lower() != "load_extension"
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY
