"""Sockets that consumers of one's own serve: looked at again whenever access may have changed, as ours are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.codes import NO_ACCESS, RESTART, SIGN_IN
from consumers.holders import Credential, Holder, holders
from consumers.outlet import Send, close, keep
from metrics.access.principal import Principal, alike
from metrics.live.bus import Recheck

AT_ONCE = 250
MAY_STAY = "may_stay"
"""Name in the scope for a function of a principal, which a consumer gives to be asked whether that may still follow."""

log = structlog.get_logger(__name__)


class ExtensionSocket:
    """One open socket: its `credential`, whom that stands for (`held`), and the `scope` that its consumer has."""

    def __init__(self, scope: dict[str, Any], send: Send, credential: Credential, held: Holder) -> None:
        self.scope, self.credential, self.held = scope, credential, held
        self._send = send
        self._is_over = False

    def holds(self, held: Holder) -> None:
        """Have the socket be of `held` from now on, and its consumer know them."""
        address = self.held.by.address
        self.held = held._replace(by=replace(held.by, address=address))
        self.scope["principal"] = self.held.by

    async def send(self, message: dict[str, Any]) -> None:
        """Send what the consumer sends, as long as the socket is not closed."""
        if not self._is_over:
            self._is_over = message["type"] == "websocket.close"
            await self._send(message)

    def close(self, code: int) -> None:
        """Close it with `code`; a client that takes nothing keeps nobody waiting."""
        if not self._is_over:
            self._is_over = True
            keep(asyncio.ensure_future(close(self._send, code)))

    def judge(self, held: Holder) -> int | None:
        """Return the code to close with if the credential stands for `held` from now on, or None if the socket stays.

        Without a function to ask, somebody whose role or teams changed has to connect again: the consumer asked then.
        """
        if self.held.id and not held.id:
            return SIGN_IN
        may_stay: Callable[[Principal], bool] | None = self.scope.get(MAY_STAY)
        if may_stay is None:
            return None if alike(held.by) == alike(self.held.by) else RESTART
        return None if may_stay(held.by) else NO_ACCESS


Refusal = tuple[ExtensionSocket, int]


def expired(sockets: Iterable[ExtensionSocket], now: float) -> list[Refusal]:
    """Return those of `sockets` whose credential is expired at `now` (Unix seconds), each with its code."""
    return [(one, SIGN_IN) for one in sockets if one.held.until <= now]


async def refused(sockets: Iterable[ExtensionSocket], doubt: Recheck) -> AsyncIterator[Refusal]:
    """Yield those of `sockets` that `doubt` concerns and that may not stay, each with the code to close it with.

    A dashboard that is in doubt concerns those that say whether they may stay. Those that the database does not answer
    stay until it does.
    """
    asked = [one for one in sockets if _concerns(doubt, one)]
    for first in range(0, len(asked), AT_ONCE):
        some = asked[first : first + AT_ONCE]
        try:
            answers = await _answers(some)
        except DatabaseError as error:
            log.warning("access was not looked at again", error=str(error))
            continue
        for one, (held, code) in zip(some, answers, strict=True):
            if code is not None:
                yield one, code
            else:
                one.holds(held)


async def _answers(sockets: Collection[ExtensionSocket]) -> list[tuple[Holder, int | None]]:
    found: list[tuple[Holder, int | None]] = await database_sync_to_async(_judged, thread_sensitive=False)(sockets)
    return found


def _judged(sockets: Collection[ExtensionSocket]) -> list[tuple[Holder, int | None]]:
    known = holders(one.credential for one in sockets)
    return [(held := known[one.credential], _code(one, held)) for one in sockets]


def _code(socket: ExtensionSocket, held: Holder) -> int | None:
    try:
        return socket.judge(held)
    except DatabaseError:
        raise
    except Exception:  # in what others wrote
        log.exception("a consumer could not say who may stay")
        return RESTART  # it is asked anew when they connect again


def _concerns(doubt: Recheck, socket: ExtensionSocket) -> bool:
    if doubt["dashboard"] is not None:
        return MAY_STAY in socket.scope
    return doubt["user"] is None or socket.held.id == f"user:{doubt['user']}"
