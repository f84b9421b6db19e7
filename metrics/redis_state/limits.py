"""Rates: how much a holder may do in a minute, counted in Redis."""

from redis import RedisError

from metrics.redis_state import outage
from metrics.redis_state.connection import KEY, client

PERIOD_S = 60


def spend(holder: str, amount: int, most: int, now: float) -> int:
    """Count `amount` for `holder` in the minute of `now`; return 0, or the seconds to wait when that is too much.

    What is refused is not counted. Without Redis nobody is refused: losing samples would be worse than
    taking too many.
    """
    key = f"{KEY}rate:{holder}:{int(now // PERIOD_S)}"
    try:
        spent = client().incrby(key, amount)
        client().expire(key, PERIOD_S * 2)
        if spent <= most:
            return 0
        client().decrby(key, amount)
    except RedisError as error:
        outage.log("rate not counted", error)
        return 0
    return PERIOD_S - int(now % PERIOD_S)
