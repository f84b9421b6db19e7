"""Redis connections: one pool a process, for code with and without an event loop."""

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
import redis.asyncio.retry
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")

KEY = "wf:"
"""Every key of ours begins with this."""

_OPTIONS: dict[str, Any] = {
    "decode_responses": True,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "health_check_interval": 0,
    # A thousand pages that come back at once wait for each other. The plain pool would say that Redis is away.
    "max_connections": 50,
    "timeout": 5,
    "driver_info": None,  # else each connection reads what is written of redis-py's package, and says it to Redis
}
_async_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis]" = WeakKeyDictionary()


FAILS_FAST_S = 2.0
"""For so long after Redis did not answer in time it is not asked: a page asks it for much, one after another."""
_hung_at = -math.inf
"""When Redis last did not answer in time, in monotonic seconds, unless it has since."""


def _check_hung() -> None:
    """Raise redis.TimeoutError if Redis did not answer in time a moment ago."""
    if time.monotonic() - _hung_at < FAILS_FAST_S:
        raise redis.TimeoutError("Redis did not answer in time a moment ago")


def _note_hung(hung: bool) -> None:
    global _hung_at
    _hung_at = time.monotonic() if hung else -math.inf


# One retry mends a connection that a restarted Redis dropped; more would make callers wait for a dead one.
_ONCE: Any = (NoBackoff(), 1, (redis.ConnectionError,))


class _Retry(Retry):
    """Tries once more over a new connection, but waits for a Redis that hangs once, not for each command."""

    def call_with_retry(self, do: Callable[[], T], *args: Any, **more: Any) -> T:
        _check_hung()
        try:
            found = super().call_with_retry(do, *args, **more)
        except redis.TimeoutError:
            _note_hung(True)
            raise
        _note_hung(False)
        return found


class _AsyncRetry(redis.asyncio.retry.Retry):
    """The same on an event loop."""

    async def call_with_retry(self, do: Callable[[], Awaitable[T]], *args: Any, **more: Any) -> T:
        _check_hung()
        try:
            found = await super().call_with_retry(do, *args, **more)
        except redis.TimeoutError:
            _note_hung(True)
            raise
        _note_hung(False)
        return found


@cache
def client() -> "redis.Redis":
    """Return this process's client. Commands raise redis.RedisError when Redis does not answer."""
    pool = redis.BlockingConnectionPool.from_url(settings.REDIS_URL, retry=_Retry(*_ONCE), **_OPTIONS)
    return redis.Redis(connection_pool=pool)


def async_client() -> "redis.asyncio.Redis":
    """Return the client of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _async_clients:
        retry = _AsyncRetry(*_ONCE)
        pool = redis.asyncio.BlockingConnectionPool.from_url(settings.REDIS_URL, retry=retry, **_OPTIONS)
        _async_clients[loop] = redis.asyncio.Redis.from_pool(pool)
    return _async_clients[loop]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="live-loop", daemon=True).start()
    return loop


def run(coroutine: Coroutine[Any, Any, T], timeout_s: float = 5) -> T:
    """Run `coroutine` on this process's one background loop and return its result.

    `async_to_sync` would make a loop and a Redis connection per call. Raises TimeoutError after `timeout_s`.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop())
    try:
        return future.result(timeout_s)
    except FutureTimeout:
        future.cancel()
        raise TimeoutError from None


def forget_everything() -> None:
    """Remove every key of ours, which makes each open page be sent everything anew. Raises redis.RedisError."""
    for key in client().scan_iter(f"{KEY}*", count=1000):
        client().unlink(key)
