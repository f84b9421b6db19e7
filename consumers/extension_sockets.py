"""Sockets that consumers of one's own serve: looked at again whenever access may have changed, as ours are."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.codes import NO_ACCESS, RESTART, SIGN_IN
from consumers.guard import Guard
from consumers.holders import Credential, Holder, holders
from consumers.outlet import Send, close, keep
from metrics.access.principal import Principal, alike
from metrics.live.bus import Recheck

AT_ONCE = 250

log = structlog.get_logger(__name__)


class ExtensionSocket:
    """One open socket: its `credential`, and whom that stands for (`held`). Its consumer has it as `scope["access"]`.

    The consumer may set `may_stay`, a function that returns whether a principal may still follow.
    """

    def __init__(self, send: Send, credential: Credential, held: Holder) -> None:
        self.credential, self.held = credential, held
        self.may_stay: Callable[[Principal], bool] | None = None
        self.is_over = False
        self._send = send

    @property
    def principal(self) -> Principal:
        """The principal of the socket, with the role and the teams that they have now."""
        return self.held.by

    def holds(self, held: Holder) -> None:
        """Have the socket be of `held` from now on."""
        self.held = held._replace(by=replace(held.by, address=self.held.by.address))

    async def send(self, message: dict[str, Any]) -> None:
        """Send what the consumer sends, as long as the socket is not closed."""
        if not self.is_over:
            self.is_over = message["type"] == "websocket.close"
            await self._send(message)

    def close(self, code: int) -> None:
        """Close it with `code`; a client that takes nothing keeps nobody waiting."""
        if not self.is_over:
            self.is_over = True
            keep(asyncio.ensure_future(close(self._send, code)))

    def judge(self, held: Holder) -> int | None:
        """Return the code to close with if the credential stands for `held` from now on, or None if the socket stays.

        Without a function to ask, somebody whose role or teams changed has to connect again: the consumer asked then.
        """
        if self.held.id and not held.id:
            return SIGN_IN
        if self.may_stay is None:
            return None if alike(held.by) == alike(self.held.by) else RESTART
        answer: object = self.may_stay(held.by)
        if inspect.iscoroutine(answer):
            answer.close()
        if not isinstance(answer, bool):
            raise TypeError(f"may_stay has to return True or False, not {type(answer).__name__}")
        return None if answer else NO_ACCESS


Refusal = tuple[ExtensionSocket, int]


class ExtensionSockets:
    """Those that are open in this process, and who looks at their access again."""

    def __init__(self) -> None:
        self._open: set[ExtensionSocket] = set()
        self.guard = Guard(self._recheck)

    def __iter__(self) -> Iterator[ExtensionSocket]:
        return iter(self._open)

    @contextmanager
    def opened(self, socket: ExtensionSocket) -> Iterator[None]:
        """Count `socket` as open until the block ends."""
        self._open.add(socket)
        try:
            yield
        finally:
            self._open.discard(socket)

    def close_expired(self, now: float) -> None:
        """Close those whose credential is expired at `now` (Unix seconds)."""
        for socket, code in expired(self._open, now):
            socket.close(code)

    async def _recheck(self, doubt: Recheck) -> None:
        async for socket, code in refused(self._open, doubt):
            socket.close(code)


def expired(sockets: Iterable[ExtensionSocket], now: float) -> list[Refusal]:
    """Return those of `sockets` whose credential is expired at `now` (Unix seconds), each with its code."""
    return [(one, SIGN_IN) for one in sockets if one.held.until <= now and not one.is_over]


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
    if socket.is_over:
        return False
    if doubt["dashboard"] is not None:
        return socket.may_stay is not None
    return doubt["user"] is None or socket.held.id == f"user:{doubt['user']}"
