"""Which variants somebody looks at, and what each viewer has on the glass.

Each web process renews what it shows; what is not renewed lapses.
"""

import json
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from metrics.live.connection import KEY, async_client, client
from metrics.live.snapshot import Variant

RENEW_S = 2
LAPSE_S = 10
GLASSES_MOST = 1000
"""How many viewers of one process are described; more are only counted."""

_WATCHED = f"{KEY}watched"
_SOCKETS = f"{KEY}sockets"
_GLASSES = f"{KEY}glasses:"


@dataclass(frozen=True, slots=True)
class Glass:
    """What one viewer shows.

    `version` is what it acknowledged, `newest` what there is; for `age_s` seconds there has been something newer.
    It has been behind for `behind_s` seconds (0: it is not), at the longest `behind_longest_s`, and was spared
    frames `conflated` times. `joined_at` is Unix seconds.
    """

    name: str
    variant: str
    version: int
    newest: int
    age_s: float
    behind_s: float
    behind_longest_s: float
    conflated: int
    joined_at: float


def watched(now: float) -> list[Variant]:
    """Return the variants that are on a glass at `now` (Unix seconds)."""
    names = cast(list[str], client().zrangebyscore(_WATCHED, now, "+inf"))
    return [Variant.parse(name) for name in names]


def sockets(now: float) -> int:
    """Return how many sockets are open in all processes."""
    return sum(_by_process(now).values())


def glasses(now: float) -> list[Glass]:
    """Return what the viewers of all processes show, the one that is furthest behind first."""
    reports = [cast(str | None, client().get(_GLASSES + process)) for process in _by_process(now)]
    found = [Glass(**entry) for report in reports if report for entry in json.loads(report)]
    return sorted(found, key=lambda glass: (-glass.behind_s, -glass.age_s, glass.variant, glass.joined_at))


async def renew(process: str, variants: Iterable[Variant], shown: Sequence[Glass], now: float) -> None:
    """Say that `process` shows `variants` to the viewers in `shown`, for `LAPSE_S` seconds from `now`."""
    pipe = async_client().pipeline(transaction=False)
    pipe.zremrangebyscore(_WATCHED, "-inf", now)
    names: dict[str, Any] = {str(variant): now + LAPSE_S for variant in variants}
    if names:
        pipe.zadd(_WATCHED, names)
    pipe.hset(_SOCKETS, process, f"{len(shown)}:{now + LAPSE_S}")
    pipe.expire(_SOCKETS, 3600)
    report = json.dumps([asdict(glass) for glass in shown[:GLASSES_MOST]])
    pipe.set(_GLASSES + process, report, ex=LAPSE_S)
    await cast(Awaitable[Any], pipe.execute())


def _by_process(now: float) -> dict[str, int]:
    """Return how many sockets each process has that renewed lately."""
    entries = cast(dict[str, str], client().hgetall(_SOCKETS)).items()
    split = [(process, *value.split(":")) for process, value in entries]
    return {process: int(count) for process, count, expiry in split if float(expiry) >= now}
