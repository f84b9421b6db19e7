"""Codes that pair screens: which screen shows which, and where, until somebody types it or it lapses.

A screen is known by the SHA-256 of its secret, and where it is by the address that asked for the code. See
https://www.rfc-editor.org/rfc/rfc8628, whose section 6.1 has the letters: without vowels there are no words, and none
of them looks like another or like a digit.
"""

import secrets
from typing import NamedTuple, cast

from metrics.redis_state.connection import KEY, client

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
HOLDS_S = 15 * 60


class Shows(NamedTuple):
    """The screen that shows a code, by its `digest`, and its `address`; None if that is not known."""

    digest: str
    address: str | None


def begin(digest: str, address: str | None = None) -> str:
    """Return a code that nobody has, for the screen of `digest` at `address`. Raises RedisError."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        if client().set(_screen(code), f"{digest} {address or ''}", ex=HOLDS_S, nx=True):
            client().set(_code(digest), code, ex=HOLDS_S)
            return code


def code_of(digest: str) -> str:
    """Return the code that the screen of `digest` shows, "" if that is over. Raises RedisError."""
    return cast(str | None, client().get(_code(digest))) or ""


def shows(code: str) -> Shows | None:
    """Return the screen that shows `code`, None if none does. Raises RedisError."""
    digest, _, address = (cast(str | None, client().get(_screen(code))) or "").partition(" ")
    return Shows(digest, address or None) if digest else None


def end(code: str, digest: str) -> None:
    """Forget a code that was typed. Raises RedisError."""
    client().delete(_screen(code), _code(digest))


def tidy(typed: str) -> str:
    """Return a code as it was typed, in capitals, without the hyphen and whatever else is no letter."""
    return "".join(letter for letter in typed.upper() if letter.isalpha())


def shown(code: str) -> str:
    """Return `code` in two groups, as people read it."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def _screen(code: str) -> str:
    return f"{KEY}pairing:{code}"


def _code(digest: str) -> str:
    return f"{KEY}pairing:of:{digest}"
