"""Group commit: what arrives while the database is busy goes into its next transaction, all of it at once.

One transaction for each small push would have a process wait for the disk, and do the same look-ups, a thousand times
a second. See "group commit" in Gray and Reuter, Transaction Processing, 1992.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import close_old_connections

from metrics.database import unavailable

T = TypeVar("T")
R = TypeVar("R")

ITEMS_MOST = 500
"""In one group, so that those in it don't wait long for each other."""
WEIGHT_MOST = 5_000
"""At which a group is full."""
WAITING_MOST = 20_000
WAITING_WEIGHT_MOST = 200_000
WORTH_A_WRITER = 1_000
"""The weight that must be waiting for one more writer: what is light is better written together."""


class FullError(Exception):
    """More waits than the database will have taken in a reasonable time."""

    def __str__(self) -> str:
        return "More comes than can be stored. Try again."


class GroupCommit(Generic[T, R]):
    """Hands items that arrive one by one to `write` in groups, on threads of its own.

    An item weighs what `weigh` says, or one: how many rows it is in the database. With more than one of `writers`, a
    group may be stored before one that arrived earlier, if that was not stored yet when this one arrived.

    `write` takes a list and returns a result for each item, in the same order. When it raises anything but that the
    database is away, each item is written alone, so that one that is bad spoils no other.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[T]], Sequence[R]],
        weigh: Callable[[T], int] = lambda _: 1,
        writers: int = 1,
    ) -> None:
        self._write = write
        self._weigh = weigh
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._weight = 0
        self._writers_most = writers
        self._threads = ThreadPoolExecutor(writers, thread_name_prefix=name)
        self._writers: set[asyncio.Task[None]] = set()

    async def add(self, item: T) -> R:
        """Return the item's result once it is stored. Raises FullError, or what `write` raises."""
        if len(self._waiting) >= WAITING_MOST or self._weight >= WAITING_WEIGHT_MOST:
            raise FullError
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, done))
        self._weight += self._weigh(item)
        if not self._writers or (self._weight >= WORTH_A_WRITER and len(self._writers) < self._writers_most):
            self._writers.add(loop.create_task(self._write_all()))
        return await done

    async def _write_all(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        try:
            while self._waiting:
                group = self._next_group()
                outcomes = await loop.run_in_executor(self._threads, self._outcomes, [item for item, _ in group])
                for (_, done), outcome in zip(group, outcomes, strict=True):
                    if done.cancelled():
                        continue
                    if isinstance(outcome, Exception):
                        done.set_exception(outcome)
                    else:
                        done.set_result(outcome)
        finally:  # before anybody can add something more
            self._writers.discard(task)

    def _next_group(self) -> list[tuple[T, asyncio.Future[R]]]:
        group: list[tuple[T, asyncio.Future[R]]] = []
        weight = 0
        while self._waiting and len(group) < ITEMS_MOST and weight < WEIGHT_MOST:
            group.append(self._waiting.popleft())
            weight += self._weigh(group[-1][0])
        self._weight -= weight
        return group

    def _outcomes(self, items: Sequence[T]) -> Sequence[R | Exception]:
        try:
            return self._write(items)
        except Exception as error:
            if len(items) == 1 or unavailable(error):
                return [error] * len(items)
            return [outcome for item in items for outcome in self._outcomes([item])]
        finally:
            close_old_connections()
