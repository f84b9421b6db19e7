"""Rows as lines of text, the same for both databases: the format of PostgreSQL's COPY.

A line a row, tabs between values, `\\N` for NULL, backslashes before what would be mistaken: see
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS. PostgreSQL reads and writes it itself; this
module does for SQLite, whose values Django stores in a way of its own.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

NULL = "\\N"
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPE = str.maketrans(ESCAPES)
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"t": "\t", "n": "\n", "r": "\r"}
UTC = "+00"

Convert = Callable[[Any], Any]


def escape(text: str) -> str:
    return text.translate(_ESCAPE)


def unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text) if "\\" in text else text


TO_TEXT: dict[str, Convert] = {
    "integer": str,
    "float": repr,
    "boolean": lambda value: "t" if value else "f",
    "text": escape,
    "time": lambda value: value + UTC,
    "bytes": lambda value: "\\\\x" + bytes(value).hex(),
    "uuid": lambda value: str(UUID(value)),
}
"""Text of each kind of value that SQLite holds."""

FROM_TEXT: dict[str, Convert] = {
    "integer": int,
    "float": float,
    "boolean": lambda text: int(text == "t"),
    "text": unescape,
    "time": lambda text: text.removesuffix(UTC),
    "bytes": lambda text: bytes.fromhex(text.removeprefix("\\\\x")),
    "uuid": lambda text: UUID(text).hex,
}


def write(rows: Iterable[Sequence[Any]], kinds: Sequence[str]) -> Iterator[bytes]:
    """Yield each row as a line; `kinds` are those of its columns."""
    converts = [TO_TEXT[kind] for kind in kinds]
    for row in rows:
        values = [NULL if value is None else convert(value) for value, convert in zip(row, converts, strict=True)]
        yield ("\t".join(values) + "\n").encode()


def read(lines: Iterable[str], kinds: Sequence[str]) -> Iterator[list[Any]]:
    """Yield the row of each line. Raises ValueError for a line that is none."""
    converts = [FROM_TEXT[kind] for kind in kinds]
    for line in lines:
        texts = line.removesuffix("\n").split("\t")
        yield [None if text == NULL else convert(text) for text, convert in zip(texts, converts, strict=True)]
