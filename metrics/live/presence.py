"""People in rooms and those who type: each process says who is with it, and learns who is there in all.

A hash per room has a field per process. Fields of processes that are gone do not count, and are removed.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from metrics.live import watchers
from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY
from metrics.redis_state.round_trip import Commands

KEPT_S = 60


class Here(NamedTuple):
    """Names of the people and programs in a room, each once, and of those who type; both in order."""

    names: tuple[str, ...] = ()
    typing: tuple[str, ...] = ()


class Presence:
    """One process's part of it."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._dead: list[tuple[str, str]] = []

    def exchange(self, rooms: Mapping[Topic, Here], now: float) -> Commands[dict[Topic, Here]]:
        """Say who is in each of `rooms` in this process, at `now` (Unix seconds); return who is there in all."""
        commands: list[tuple[Any, ...]] = [("HDEL", *one) for one in self._dead]
        for topic, here in rooms.items():
            commands += [
                ("HSET", _key(topic), self._process, json.dumps(here, ensure_ascii=False)),
                ("EXPIRE", _key(topic), KEPT_S),
            ]
        commands += _reading(rooms, now)

        def parse(answers: list[Any]) -> dict[Topic, Here]:
            alive, *found = answers[len(answers) - len(rooms) - 1 :]
            gone = zip(rooms, found, strict=True)
            self._dead = [
                (_key(topic), one) for topic, fields in gone for one in fields.keys() - {*alive, self._process}
            ]
            return _merged(rooms, alive, found)

        return Commands(commands if rooms else [], parse if rooms else lambda _: {})


def here(topic: Topic, now: float) -> Commands[Here]:
    """Return who is in a room at `now` (Unix seconds)."""
    return Commands(_reading([topic], now), lambda found: _merged([topic], found[0], found[1:])[topic])


def merge(parts: Iterable[Here]) -> Here:
    """Return all who are in one of `parts`."""
    several = list(parts)
    if len(several) == 1:
        return several[0]
    return Here(
        in_order(name for one in several for name in one.names), in_order(t for one in several for t in one.typing)
    )


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return `names`, each once, in the order of the alphabet."""
    return tuple(sorted(set(names), key=lambda name: (name.casefold(), name)))


def _reading(topics: Iterable[Topic], now: float) -> list[tuple[Any, ...]]:
    return [watchers.living(now), *(("HGETALL", _key(topic)) for topic in topics)]


def _merged(topics: Iterable[Topic], alive: list[str], found: list[dict[str, str]]) -> dict[Topic, Here]:
    living = set(alive)
    return {
        topic: merge(_parsed(text) for process, text in fields.items() if process in living)
        for topic, fields in zip(topics, found, strict=True)
    }


def _parsed(text: str) -> Here:
    names, typing = json.loads(text)
    return Here(tuple(names), tuple(typing))


def _key(topic: Topic) -> str:
    return f"{KEY}here:{topic}"
