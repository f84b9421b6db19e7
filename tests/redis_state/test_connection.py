"""Connections to Redis: more askers than connections wait for each other, and nobody waits for one that hangs again."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from redis import TimeoutError as NoAnswerError

from metrics.redis_state import connection
from metrics.redis_state.connection import async_client, client
from tests import loop

pytestmark = pytest.mark.usefixtures("redis")

MANY = 300


async def test_hundreds_ask_at_once_on_an_event_loop(redis: Redis) -> None:
    redis.set("key", "value")
    try:
        assert await asyncio.gather(*(async_client().get("key") for _ in range(MANY))) == ["value"] * MANY
    finally:
        await loop.close()


def test_hundreds_of_threads_ask_at_once(redis: Redis) -> None:
    together = threading.Barrier(MANY)

    def ask(_: int) -> object:
        together.wait(30)
        return client().get("key")

    redis.set("key", "value")
    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(ask, range(MANY))) == ["value"] * MANY


HANGS_S = 1.0


@pytest.fixture
def hangs(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Have Redis hang, or go on, for clients that wait for it `HANGS_S`."""
    pid = redis.info("server")["process_id"]
    monkeypatch.setitem(connection._OPTIONS, "socket_timeout", HANGS_S)
    client.cache_clear()
    try:
        yield lambda hang: os.kill(pid, signal.SIGSTOP if hang else signal.SIGCONT)
    finally:
        os.kill(pid, signal.SIGCONT)
        client.cache_clear()
        connection._note_hung(False)


def test_one_that_hangs_is_waited_for_once(hangs: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch) -> None:
    client().set("key", "value")
    hangs(True)
    began = time.monotonic()
    for _ in range(10):
        pipe = client().pipeline()
        pipe.get("key")
        with pytest.raises(NoAnswerError):
            pipe.execute()
    assert HANGS_S <= time.monotonic() - began < 5 * HANGS_S
    hangs(False)
    with pytest.raises(NoAnswerError):  # it is not asked yet
        client().get("key")
    with monkeypatch.context() as later:
        later.setattr(connection, "FAILS_FAST_S", 0.0)
        assert client().get("key") == "value"
    assert client().get("key") == "value", "it has answered since"


async def test_nor_is_it_waited_for_again_on_an_event_loop(hangs: Callable[[bool], None]) -> None:
    assert await async_client().get("key") is None
    hangs(True)
    began = time.monotonic()
    try:
        for _ in range(10):
            with pytest.raises(NoAnswerError):
                await async_client().get("key")
        assert HANGS_S <= time.monotonic() - began < 5 * HANGS_S
    finally:
        hangs(False)
        await loop.close()
