"""Watched topics, and the viewers of each.

Each web process renews what it shows; what is not renewed lapses.
"""

import json
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY, async_client, client
from metrics.redis_state.round_trip import Commands, ask
from metrics.schedule import CLOCKS_DIFFER_S

RENEW_S = 2
LAPSE_S = 10
LONGEST_S = LAPSE_S + CLOCKS_DIFFER_S
"""Longest time an entry may have left: one with more was renewed before the clock was set back, and does not count."""
VIEWERS_MOST = 1000
"""How many viewers of one process are described; more are only counted."""

_WATCHED = f"{KEY}watched:topics"
_PROCESSES = f"{KEY}processes"
_SOCKETS = f"{KEY}sockets:"
_VIEWERS = f"{KEY}viewer_status:"


@dataclass(frozen=True, slots=True)
class ViewerStatus:
    """Status of one viewer.

    `version` is what it acknowledged, `newest` what there is; for `age_s` seconds there has been something newer.
    It has been behind for `behind_s` seconds (0: it is not), at the longest `behind_longest_s`, and was spared
    frames `conflated` times. `joined_at` is Unix seconds. A `wall` fills a screen: neither a tab nor a program.
    """

    name: str
    topic: str
    version: int
    newest: int
    age_s: float
    behind_s: float
    behind_longest_s: float
    conflated: int
    joined_at: float
    wall: bool = False


def looked_at(now: float) -> Commands[list[Topic]]:
    """Return the topics that somebody looks at, at `now` (Unix seconds)."""
    return Commands(
        [("ZRANGEBYSCORE", _WATCHED, now, now + LONGEST_S)],
        lambda answers: [Topic.parse(name) for name in answers[0]],
    )


def watched(now: float) -> list[Topic]:
    """Return the topics that somebody looks at, at `now` (Unix seconds). Raises redis.RedisError."""
    return ask(looked_at(now))


def sockets(now: float) -> int:
    """Return how many sockets are open in all processes."""
    return sum(int(count) for count in _of_processes(_SOCKETS, now))


def viewers(now: float) -> list[ViewerStatus]:
    """Return what the viewers of all processes show, the one that is furthest behind first."""
    found = [ViewerStatus(**entry) for report in _of_processes(_VIEWERS, now) for entry in json.loads(report)]
    return sorted(found, key=lambda one: (-one.behind_s, -one.age_s, one.topic, one.joined_at))


async def choices(now: float) -> list[Topic]:
    """Return the topics with choices of variables that somebody looks at, at `now` (Unix seconds)."""
    names = await cast(Awaitable[list[str]], async_client().zrangebyscore(_WATCHED, now, now + LONGEST_S))
    return [topic for name in names if (topic := Topic.parse(name)).chosen]


async def add(topic: Topic, now: float) -> None:
    """Say that somebody looks at `topic`, for `LAPSE_S` seconds from `now`; what a process shows it renews itself."""
    await cast(Awaitable[int], async_client().zadd(_WATCHED, {str(topic): now + LAPSE_S}))


def renew(
    process: str, topics: Iterable[Topic], shown: Sequence[ViewerStatus], sockets: int, now: float
) -> Commands[None]:
    """Say that `process` shows `topics`, which need rendering, to `shown`, and how many `sockets` it has.

    That holds for `LAPSE_S` seconds from `now`.
    """
    until = now + LAPSE_S
    watched = [part for topic in topics for part in (until, str(topic))]
    report = json.dumps([asdict(one) for one in shown[:VIEWERS_MOST]])
    commands: list[tuple[Any, ...]] = [
        *(("ZREMRANGEBYSCORE", names_until, "-inf", now) for names_until in (_WATCHED, _PROCESSES)),
        *(("ZREMRANGEBYSCORE", names_until, now + LONGEST_S, "+inf") for names_until in (_WATCHED, _PROCESSES)),
        *([("ZADD", _WATCHED, *watched)] if watched else []),
        ("ZADD", _PROCESSES, until, process),
        ("SET", _SOCKETS + process, sockets, "EX", LAPSE_S),
        ("SET", _VIEWERS + process, report, "EX", LAPSE_S),
    ]
    return Commands(commands, lambda _: None)


def living(now: float) -> tuple[Any, ...]:
    """Return the command that asks for the processes that renewed lately, at `now` (Unix seconds)."""
    return ("ZRANGEBYSCORE", _PROCESSES, now, now + LONGEST_S)


def _of_processes(prefix: str, now: float) -> list[str]:
    """Return what the processes that renewed lately keep under `prefix`."""
    processes = cast(list[str], client().zrangebyscore(_PROCESSES, now, now + LONGEST_S))
    if not processes:
        return []
    values = cast(list[str | None], client().mget([prefix + process for process in processes]))
    return [value for value in values if value is not None]
