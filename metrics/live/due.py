"""Variants that time alone changes: when a shift or a silence ends, or maintenance begins, each is drawn anew.

A sorted set in Redis has, for each variant, the moment at which it is due. Whoever draws it says when the next one is;
one that is not so soon does not put off another.
"""

from typing import cast

from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY, client

_DUE = f"{KEY}due"


def note(variant: Topic, at: float) -> None:
    """Have `variant` drawn anew at a time (Unix seconds), if that is not to be sooner anyway."""
    client().zadd(_DUE, {str(variant): at}, lt=True)


def take(now: float) -> list[Topic]:
    """Return the variants that are due at a time (Unix seconds), which then are not any more."""
    pipe = client().pipeline(transaction=True)
    pipe.zrangebyscore(_DUE, "-inf", now)
    pipe.zremrangebyscore(_DUE, "-inf", now)
    return [Topic.parse(text) for text in cast(list[list[str]], pipe.execute())[0]]
