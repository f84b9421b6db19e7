"""How the system itself is: what its parts record about themselves in Redis, and how old that is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from metrics.live import traffic, waiting, watchers
from metrics.live.connection import KEY, client

DEAD_AFTER_S = 15
TASK_QUEUES = ("collect", "system")

_HEALTH = f"{KEY}health"
_CELERY_KEY = f"{KEY}celery:"


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


def record_beat(now: float) -> None:
    """Note that beat runs."""
    client().hset(_HEALTH, "beat", repr(now))


def record_tick(now: float) -> None:
    """Note that a worker ran the collecting tick, and how late after the one before."""
    before = cast(str | None, client().hget(_HEALTH, "tick"))
    lag = max(0.0, now - float(before) - 1) if before else 0.0
    client().hset(_HEALTH, mapping={"tick": repr(now), "tick_lag_s": repr(lag)})


def record_collecting(now: float) -> None:
    """Note that the worker that runs sources runs."""
    client().hset(_HEALTH, "collecting", repr(now))


def record_sweep(now: float) -> None:
    """Note that a worker ran the rendering sweep."""
    client().hset(_HEALTH, "sweep", repr(now))


def record_arriving(found: Sequence[Arriving]) -> None:
    """Note what arrives."""
    client().hset(_HEALTH, "arrivals", json.dumps([asdict(one) for one in found]))


def arriving() -> list[Arriving]:
    """Return what arrives, as it was noted last."""
    noted = cast(str | None, client().hget(_HEALTH, "arrivals"))
    return [Arriving(**one) for one in json.loads(noted or "[]")]


def ages(now: float) -> dict[str, float | None]:
    """Return how many seconds ago `beat`, `tick`, `sweep` and `collecting` were recorded; None for never."""
    names = ["beat", "tick", "sweep", "collecting"]
    values = cast(list[str | None], client().hmget(_HEALTH, names))
    return {name: now - float(value) if value else None for name, value in zip(names, values, strict=True)}


def readings(now: float) -> Readings:
    """Return the newest readings. Raises redis.RedisError when Redis does not answer."""
    lag = cast(str | None, client().hget(_HEALTH, "tick_lag_s"))
    queues = {queue: client().llen(_CELERY_KEY + queue) for queue in TASK_QUEUES} | {"render": waiting.length()}
    return Readings(queues, float(lag or 0), watchers.sockets(now), traffic.totals(), tuple(arriving()))
