"""Which variants somebody looks at. Each web process renews what it shows; what is not renewed lapses."""

from collections.abc import Awaitable, Iterable
from typing import Any, cast

from metrics.live.connection import KEY, async_client, client
from metrics.live.snapshot import Variant

RENEW_S = 2
LAPSE_S = 10

_WATCHED = f"{KEY}watched"
_SOCKETS = f"{KEY}sockets"


def watched(now: float) -> list[Variant]:
    """Return the variants that are on a glass at `now` (Unix seconds)."""
    names = cast(list[str], client().zrangebyscore(_WATCHED, now, "+inf"))
    return [Variant.parse(name) for name in names]


def sockets(now: float) -> int:
    """Return how many sockets are open in all processes."""
    counts = cast(dict[str, str], client().hgetall(_SOCKETS))
    entries = [(float(expiry), int(count)) for count, _, expiry in (value.partition(":") for value in counts.values())]
    return sum(count for expiry, count in entries if expiry >= now)


async def renew(process: str, variants: Iterable[Variant], open_sockets: int, now: float) -> None:
    """Say that `process` shows `variants` on `open_sockets` sockets, for `LAPSE_S` seconds from `now`."""
    pipe = async_client().pipeline(transaction=False)
    pipe.zremrangebyscore(_WATCHED, "-inf", now)
    names: dict[str, Any] = {str(variant): now + LAPSE_S for variant in variants}
    if names:
        pipe.zadd(_WATCHED, names)
    pipe.hset(_SOCKETS, process, f"{open_sockets}:{now + LAPSE_S}")
    pipe.expire(_SOCKETS, 3600)
    await cast(Awaitable[Any], pipe.execute())
