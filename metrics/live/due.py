"""Variants that change by time alone, as when a shift or a silence ends: each is marked then.

A sorted set in Redis has the moments, each with its variant. The task that draws a variant says when its next moment
is. A moment is removed once the variant is marked, so that none is lost.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands

_DUE = f"{KEY}due"


def note(variant: Topic, at: float) -> None:
    """Have `variant` drawn anew at a time (Unix seconds)."""
    client().zadd(_DUE, {f"{at!r} {variant}": at})


def members(now: float) -> Commands[Sequence[str]]:
    """Return what is due at a time (Unix seconds), as `taken` takes it."""
    return Commands([("ZRANGEBYSCORE", _DUE, "-inf", now)], lambda answers: list(answers[0]))


@contextmanager
def taken(members: Sequence[str]) -> Iterator[set[Topic]]:
    """Yield the variants of the `members` that are due; they are not any more once the block is through."""
    found = set()
    for member in members:
        with suppress(ValueError):  # another release wrote it
            found.add(Topic.parse(member.partition(" ")[2]))
    yield found
    if members:
        client().zrem(_DUE, *members)
