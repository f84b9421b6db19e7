"""SQLite: files in folders that the operator allows, opened to be read in a process that can be ended."""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from metrics.sources import process
from metrics.sources.base import SourceError
from metrics.sources.databases.table import Table, check_rows
from metrics.sources.server import require_freedom, sentence

WHO = "SQLite"
PROGRAM = Path(__file__).with_name("sqlite_process.py")
MEMORY_MOST_BYTES = 256 * 1024**2
TABLE_MOST_BYTES = 16 * 1024**2
START_S = 1.0
"""Time that the process may take to start, on top of the time that the query has."""


def query(path: str, text: str, rows_most: int, timeout_s: float) -> Table:
    """Return what `text` returns. Raises SourceError."""
    require_freedom("Files")
    asked = {"file": str(allowed(path)), "query": text, "rows_most": rows_most, "timeout_s": timeout_s}
    answer = _answer(asked, timeout_s)
    if answer.get("late"):
        raise SourceError(f"It took longer than {timeout_s:g} s.")
    if "error" in answer:
        raise SourceError(sentence(WHO, Exception(answer["error"])))
    rows = [[b"" if isinstance(cell, dict) else cell for cell in row] for row in answer["rows"]]
    check_rows(rows, rows_most)
    return Table(answer["columns"], rows)


def _answer(asked: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", str(PROGRAM)]
    environment = {"QUERY": json.dumps(asked, ensure_ascii=False), "PYTHONUTF8": "1"}
    try:
        finished = process.run(command, timeout_s + START_S, environment, MEMORY_MOST_BYTES, TABLE_MOST_BYTES)
    except process.TooSlow:
        return {"late": True}
    if finished.code:
        raise SourceError(f"{WHO}: its process ended without an answer, for want of memory or by a crash.")
    found: dict[str, Any] = json.loads(finished.output)
    return found


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
