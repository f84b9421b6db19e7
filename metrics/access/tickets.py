"""Tickets: a token's leave to open one socket, for programs that can't send a header, such as scripts in browsers.

A ticket is good once, for 30 s, for one path. So it may stand in a URL, where a token must not. Redis keeps its hash.
"""

import secrets
from hashlib import sha256
from typing import cast

from metrics.models import Token
from metrics.redis_state.connection import KEY, client

HOLDS_S = 30
PATH_MOST = 300


def issue(token: Token, path: str) -> str:
    """Return a ticket of `token` for the socket at `path`. Raises RedisError."""
    ticket = secrets.token_hex(24)  # no ticket looks like a token
    client().set(_key(ticket), f"{token.pk} {path}", ex=HOLDS_S)
    return ticket


def redeem(ticket: str, path: str) -> int | None:
    """Use up a ticket; return the id of its token, None for one that is not for `path`. Raises RedisError."""
    found = cast(str | None, client().getdel(_key(ticket)))
    token, _, wanted = (found or "").partition(" ")
    return int(token) if token and wanted == path else None


def _key(ticket: str) -> str:
    return f"{KEY}ticket:{sha256(ticket.encode()).hexdigest()}"
