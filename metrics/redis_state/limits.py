"""Rates: how much a holder may do in a minute, counted in Redis."""

from redis import RedisError

from metrics.redis_state import outage
from metrics.redis_state.connection import KEY, client

PERIOD_S = 60


def spend(holder: str, amount: int, most: int, now: float) -> int:
    """Count `amount` for `holder` in the minute of `now`; return 0, or the seconds to wait when that is too much.

    A refused request is not counted. Without Redis nobody is refused: losing samples would be worse than taking too
    many.
    """
    try:
        if _count(holder, amount, now) <= most:
            return 0
        _count(holder, -amount, now)
    except RedisError as error:
        outage.log("rate not counted", error)
        return 0
    return PERIOD_S - int(now % PERIOD_S)


def give_back(holder: str, amount: int, now: float) -> None:
    """Count `amount` no more that `holder` spent in the minute of `now`, since nothing came of it."""
    try:
        _count(holder, -amount, now)
    except RedisError as error:
        outage.log("rate not counted", error)


def _count(holder: str, amount: int, now: float) -> int:
    """Return how much `holder` has spent in the minute of `now` with `amount` more."""
    key = f"{KEY}rate:{holder}:{int(now // PERIOD_S)}"
    spent = client().incrby(key, amount)
    client().expire(key, PERIOD_S * 2)
    return int(spent)
