"""Connections to Redis: more askers than connections wait for each other."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

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
