"""Connections to Redis: more askers than connections wait for each other."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from metrics.redis_state.connection import async_client, client

pytestmark = pytest.mark.usefixtures("redis")

MANY = 300


def test_hundreds_ask_at_once_on_an_event_loop(redis: Redis) -> None:
    async def ask() -> list[object]:
        try:
            return list(await asyncio.gather(*(async_client().get("key") for _ in range(MANY))))
        finally:
            await async_client().aclose()

    redis.set("key", "value")
    assert asyncio.run(ask()) == ["value"] * MANY


def test_hundreds_of_threads_ask_at_once(redis: Redis) -> None:
    together = threading.Barrier(MANY)

    def ask(_: int) -> object:
        together.wait(30)
        return client().get("key")

    redis.set("key", "value")
    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(ask, range(MANY))) == ["value"] * MANY
