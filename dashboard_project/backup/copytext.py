"""Rows as lines of text, the same for both databases: the format of PostgreSQL's COPY.

A line a row, tabs between values, `\\N` for NULL, backslashes before what would be mistaken: see
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS. PostgreSQL reads and writes it itself; this
module does for SQLite, whose values Django stores in a way of its own. Of what is stored as text, each value has to be
spelled as Django spells it, or no query finds it: SQLite compares texts.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import GenericIPAddressField

NULL = "\\N"
ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_ESCAPE = str.maketrans(ESCAPES)
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {escaped[1]: character for character, escaped in ESCAPES.items()}
UTC = "+00"

Convert = Callable[[Any], Any]


def escape(text: str) -> str:
    return text.translate(_ESCAPE)


def unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text) if "\\" in text else text


def _time(text: str) -> str:
    """Return a time with six digits of a second or none, where PostgreSQL leaves zeros at the end out."""
    whole, point, fraction = text.partition(".")
    return f"{whole}.{fraction:0<6}" if point else whole


def _json(text: str) -> str:
    """Return JSON in ASCII, where PostgreSQL keeps characters as they are, and writes 1e-07 as 0.0000001."""
    return json.dumps(json.loads(unescape(text)))


TO_TEXT: dict[str, Convert] = {
    "integer": str,
    "float": repr,
    "boolean": lambda value: "t" if value else "f",
    "text": escape,
    "json": escape,
    "datetime": lambda value: value + UTC,
    "time": str,
    "address": str,
    "bytes": lambda value: "\\\\x" + bytes(value).hex(),
    "uuid": lambda value: str(UUID(value)),
}
"""Text of each kind of value that SQLite holds."""

FROM_TEXT: dict[str, Convert] = {
    "integer": int,
    "float": float,
    "boolean": lambda text: int(text == "t"),
    "text": unescape,
    "json": _json,
    "datetime": lambda text: _time(text.removesuffix(UTC)),
    "time": _time,
    "address": GenericIPAddressField().get_prep_value,  # ::a00:1, where PostgreSQL writes ::10.0.0.1
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
