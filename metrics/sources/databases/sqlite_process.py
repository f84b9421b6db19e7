"""`python sqlite_process.py`: runs the query that the variable QUERY holds as JSON, and prints the table as JSON.

In a process of its own, because functions of SQLite look at no clock: `instr` of one long text in another goes on for
minutes, and only the end of its process ends it. A program that imports little: it starts for each run.
"""

import json
import os
import sqlite3
import time
from typing import Any
from urllib.parse import quote

BUSY_MOST_S = 5.0
STEPS = 20_000
"""How many instructions of SQLite's machine may pass between two looks at the clock: some milliseconds."""
CELL_MOST_BYTES = 1_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
"""Operations that a statement may do; so it can't attach other files, set pragmas, or write into temporary tables."""


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the `columns` and `rows`, one more than `rows_most` at most; or an `error`; or that it was `late`."""
    until = time.monotonic() + asked["timeout_s"]
    try:
        connection = sqlite3.connect(
            f"file:{quote(asked['file'])}?mode=ro",
            uri=True,
            timeout=min(BUSY_MOST_S, asked["timeout_s"]),
            isolation_level=None,
        )
        connection.text_factory = _text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_MOST_BYTES)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        cursor = connection.execute(asked["query"])
        rows = cursor.fetchmany(asked["rows_most"] + 1)
        return {"columns": [column[0] for column in cursor.description or ()], "rows": rows}
    except (sqlite3.Error, sqlite3.Warning) as error:
        late = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        return {"late": True} if late else {"error": str(error)}


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    permitted = action in ALLOWED and (second or "").lower() != "load_extension"
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY


def _text(cell: bytes) -> str | bytes:
    """Return what a cell of text holds: it may be no UTF-8, and then it is bytes."""
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return cell


def _cell(value: Any) -> dict[str, int]:
    """Return what stands for bytes, which are no value and no label: how many there are."""
    return {"bytes": len(value)}


if __name__ == "__main__":
    print(json.dumps(answer(json.loads(os.environ["QUERY"])), default=_cell))
