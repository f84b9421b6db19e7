"""Expectations of a check: the status of an answer, and the text of its body."""

import re
from functools import lru_cache

import re2

from metrics.sources import jmespath_values

PATTERN_MEMORY_BYTES = 1024 * 1024
RANGE = re.compile(r"(\d{3})(?:-(\d{3}))?")
CLASS = re.compile(r"([1-5])xx")


class NotExpected(Exception):
    """An answer that was not expected; the text completes a sentence that begins with the address."""


def statuses(text: str) -> list[range]:
    """Return the statuses in `text`, such as "200, 404, 3xx, 500-503". Raises ValueError for what is none."""
    return [_statuses(one.strip()) for one in text.split(",")]


def _statuses(one: str) -> range:
    if match := CLASS.fullmatch(one.lower()):
        return range(int(match[1]) * 100, int(match[1]) * 100 + 100)
    if match := RANGE.fullmatch(one):
        first, last = int(match[1]), int(match[2] or match[1])
        if 100 <= first <= last <= 599:
            return range(first, last + 1)
    raise ValueError(f"{one[:20]!r} is no status such as 200, 3xx or 500-503")


def status(found: int, expected: str) -> None:
    """Raise NotExpected if `found` is none of the statuses `expected`."""
    if not any(found in one for one in statuses(expected)):
        raise NotExpected(f"answered {found}, not {expected}")


def body(found: str, text: str, pattern: str, expression: str) -> None:
    """Raise NotExpected unless `found` has `text` in it, `pattern` somewhere, and makes `expression` true.

    An empty field asks for nothing.
    """
    if text and text not in found:
        raise NotExpected(f"answered without {text[:50]!r}")
    if pattern and not compile(pattern).search(found):
        raise NotExpected(f"answered nothing that fits {pattern[:50]!r}")
    if expression:
        try:
            value = jmespath_values.follow(expression, jmespath_values.document(found.encode()))
        except jmespath_values.NoValue as problem:
            raise NotExpected(f"answered something that {problem}") from None
        if value is not True:
            raise NotExpected(f"answered something for which {expression[:50]!r} is not true")


@lru_cache(maxsize=256)
def compile(pattern: str) -> "re2._Regexp":
    """Return a regular expression of RE2's (https://github.com/google/re2/wiki/Syntax), which no input can make slow.

    Raises ValueError for what is none.
    """
    options = re2.Options()
    options.max_mem = PATTERN_MEMORY_BYTES
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        said = error.args[0]
        raise ValueError(f"{pattern[:50]!r} is no regular expression: {_text(said)}") from None


def _text(said: object) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
