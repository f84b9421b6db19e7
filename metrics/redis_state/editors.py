"""People who have the draft of a dashboard open, in Redis: each page of a draft says so when it is drawn."""

from typing import cast

from metrics.redis_state.connection import KEY, client

KEPT_S = 90


def add(dashboard: int, name: str, now: float) -> None:
    """Say that `name` has a draft of the dashboard (id) open, at `now` (Unix seconds). Raises redis.RedisError."""
    pipe = client().pipeline(transaction=False)
    pipe.zadd(_key(dashboard), {name: now})
    pipe.expire(_key(dashboard), KEPT_S)
    pipe.execute()


def names(dashboard: int, now: float) -> list[str]:
    """Return who has one open at `now` (Unix seconds), the latest first. Raises redis.RedisError."""
    return cast(list[str], client().zrevrangebyscore(_key(dashboard), "+inf", now - KEPT_S))


def _key(dashboard: int) -> str:
    return f"{KEY}editors:{dashboard}"
