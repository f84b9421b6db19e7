"""Redis connections: one pool a process, for code with and without an event loop."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
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
    # One retry mends a connection that a restarted Redis dropped; more would make callers wait for a dead one.
    "health_check_interval": 0,
    # A thousand pages that come back at once wait for each other. The plain pool would say that Redis is away.
    "max_connections": 50,
    "timeout": 5,
    "driver_info": None,  # else each connection reads what is written of redis-py's package, and says it to Redis
}
_async_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis]" = WeakKeyDictionary()


@cache
def client() -> "redis.Redis":
    """Return this process's client. Commands raise redis.RedisError when Redis does not answer."""
    pool = redis.BlockingConnectionPool.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 1), **_OPTIONS)
    return redis.Redis(connection_pool=pool)


def async_client() -> "redis.asyncio.Redis":
    """Return the client of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _async_clients:
        retry = redis.asyncio.retry.Retry(NoBackoff(), 1)
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
