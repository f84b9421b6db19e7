"""How the system itself is: what its parts record about themselves in Redis."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, cast

from metrics.health import traffic
from metrics.live import waiting, watchers
from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands, ask, ask_all

SIGNS = ("beat", "render", "collect", "sweep", "database", "collecting", "alerts")
"""Processes, and tasks that show more than that their worker runs; see `metrics.health.standstill`."""
STEADY = frozenset({"beat", "render", "collect", "database"})
"""Those that say for how long they have run."""
SIGN_EVERY_S = 2.0
PAUSE_S = 5.0
"""A longer time between two signs is a pause, in which a process was stopped or waited for Redis."""
TASK_QUEUES = ("collect", "system")

_HEALTH = f"{KEY}health"
_SIGN_FIELDS = [f"sign:{name}" for name in SIGNS]
_CELERY_KEY = f"{KEY}celery:"
_TICK = """
local before = tonumber(redis.call('HGET', KEYS[1], 'tick') or '')
local lag_s = before and math.max(0, tonumber(ARGV[1]) - before - 1) or 0
redis.call('HSET', KEYS[1], 'tick', ARGV[1], 'tick_lag_s', tostring(lag_s))
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life of `at` (Unix seconds). Until then they came for `running_s` seconds without a pause."""

    at: float
    running_s: float = 0.0


class SetBack(NamedTuple):
    """That the wall clock was set back to `at` from `until`. So much time comes twice, and so do its samples."""

    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Arriving:
    """How many series that come one `way`, collected or pushed, were `expected` lately, and how many are `late` now.

    `newest_at` (Unix seconds) is when the newest sample was, None without one. `stopped_at` is when those that are late
    stopped, for as long as they are nearly all, else None.
    """

    way: str
    expected: int
    late: int
    newest_at: float | None
    stopped_at: float | None


@dataclass(frozen=True, slots=True)
class Readings:
    """The newest state of the system.

    `queues`: what waits, by queue: variants in `render`, tasks in the others. `tick_lag_s`: how much later than a
    second after the one before the last tick ran. `sockets`: open in all processes. `traffic`: what was rendered and
    sent. `arriving`: by the way that samples come, once that was looked at.
    """

    queues: Mapping[str, int]
    tick_lag_s: float
    sockets: int
    traffic: traffic.Totals
    arriving: tuple[Arriving, ...]


@dataclass(frozen=True, slots=True)
class Down:
    """How many `sources` found what they check down, how many `heartbeats` are down, how many `alerts` nobody took.

    `critical` are the alerts that fire and are critical, whoever has taken them.
    """

    sources: int = 0
    heartbeats: int = 0
    alerts: int = 0
    critical: int = 0


class Noted(NamedTuple):
    """All that pages say of the system's state: the newest `signs` of life, by name, and the rest as noted last.

    `alerts` counts the changes of alerts.
    """

    signs: Mapping[str, Sign]
    set_back: SetBack | None
    arriving: list[Arriving]
    down: Down
    alerts: int = 0


class LifeSign:
    """Sign of life of one running process: that it runs, and for how long without a pause.

    A process that was stopped for a while, or waited for Redis, begins to count anew.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._since = self._last = -math.inf

    def running_s(self, ticks: float) -> float:
        """Return for how long it has run at `ticks` (monotonic seconds), at which it gives a sign."""
        if ticks - self._last > PAUSE_S:
            self._since = ticks
        self._last = ticks
        return ticks - self._since

    def at(self, now: float, ticks: float) -> Commands[None]:
        """Return what records a sign at `now` (Unix seconds) and `ticks` (monotonic seconds)."""
        return sign(self.name, now, self.running_s(ticks))


def sign(name: str, now: float, running_s: float = 0.0) -> Commands[None]:
    """Return what records a sign of life, and for how long they have come."""
    return Commands([("HSET", _HEALTH, f"sign:{name}", f"{now!r} {running_s:.1f}")], lambda _: None)


def record(name: str, now: float, running_s: float = 0.0) -> None:
    """Note a sign of life, and for how long they have come."""
    ask(sign(name, now, running_s))


def try_to_write() -> None:
    """Raise redis.RedisError when Redis does not answer, or takes nothing any more."""
    client().set(f"{KEY}probe", "1", ex=60)


def tick(now: float) -> Commands[None]:
    """Return what notes that a worker ran the collecting tick, and how late after the one before.

    It is not late if the clock was set back.
    """
    return Commands([("EVAL", _TICK, 1, _HEALTH, repr(now))], lambda _: None)


def noted() -> Commands[Noted]:
    """Return what pages say of the system's state."""
    return Commands([("HMGET", _HEALTH, *_SIGN_FIELDS, "set_back", "arrivals", "down", "alerts")], _parsed)


def newest_signs() -> Commands[dict[str, Sign]]:
    """Return the newest sign of life of each that gave one."""
    return Commands([("HMGET", _HEALTH, *_SIGN_FIELDS)], lambda answers: _signs(answers[0]))


def signs() -> dict[str, Sign]:
    """Return the newest sign of life of each that gave one. Raises redis.RedisError."""
    return ask(newest_signs())


def record_set_back(now: float, until: float) -> None:
    """Note that the wall clock was set back to `now` from `until`."""
    client().hset(_HEALTH, "set_back", json.dumps([now, until]))


def set_back() -> SetBack | None:
    """Return how the wall clock was set back the last time."""
    return _set_back(cast(str | None, client().hget(_HEALTH, "set_back")))


def record_arriving(found: Sequence[Arriving]) -> None:
    """Note what arrives."""
    client().hset(_HEALTH, "arrivals", json.dumps([asdict(one) for one in found]))


def arriving() -> list[Arriving]:
    """Return what arrives, as it was noted last."""
    return _arriving(cast(str | None, client().hget(_HEALTH, "arrivals")))


def record_down(found: Down) -> None:
    """Note how much is down."""
    client().hset(_HEALTH, "down", f"{found.sources} {found.heartbeats} {found.alerts} {found.critical}")


def down() -> Down:
    """Return how much is down, as it was noted last."""
    return _down(cast(str | None, client().hget(_HEALTH, "down")))


def next_number_of(fact: str) -> int:
    """Count one more change of a fact: alerts, maintenance, annotations, incidents or untold; return the number."""
    return client().hincrby(_HEALTH, fact, 1)


def number_of(fact: str) -> int:
    """Return how many changes of a fact were counted: what was made of it before another number is old."""
    return int(cast(str | None, client().hget(_HEALTH, fact)) or 0)


def readings(now: float) -> Readings:
    """Return the newest readings. Raises redis.RedisError when Redis does not answer."""
    noted = Commands([("HMGET", _HEALTH, "tick_lag_s", "arrivals")], lambda answers: answers[0])
    tasks = Commands([("LLEN", _CELERY_KEY + queue) for queue in TASK_QUEUES], list)
    (lag, arrivals), depths, variants, totals = ask_all(noted, tasks, waiting.count(), traffic.totals())
    queues = dict(zip((*TASK_QUEUES, "render"), (*depths, variants), strict=True))
    return Readings(queues, float(lag or 0), watchers.sockets(now), totals, tuple(_arriving(arrivals)))


def _parsed(answers: list[list[str | None]]) -> Noted:
    *signs, set_back, arrivals, down, alerts = answers[0]
    return Noted(_signs(signs), _set_back(set_back), _arriving(arrivals), _down(down), int(alerts or 0))


def _signs(texts: Sequence[str | None]) -> dict[str, Sign]:
    found = {name: text.split() for name, text in zip(SIGNS, texts, strict=True) if text}
    return {name: Sign(float(at), float(running_s)) for name, (at, running_s) in found.items()}


def _set_back(text: str | None) -> SetBack | None:
    return SetBack(*json.loads(text)) if text else None


def _arriving(text: str | None) -> list[Arriving]:
    return [Arriving(**one) for one in json.loads(text or "[]")]


def _down(text: str | None) -> Down:
    return Down(*map(int, text.split())) if text else Down()
