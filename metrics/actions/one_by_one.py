"""Many things in one transaction; if it fails, one transaction each, so that one bad row does not stop the rest."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from celery.exceptions import OperationalError as BrokerError
from django.db import transaction
from redis import RedisError

from metrics.database import unavailable

T = TypeVar("T")


def each(things: Sequence[T], do: Callable[[Sequence[T]], int], odd: Callable[[T], None]) -> int:
    """`do` something with `things`, together or else each alone; return the count that this says of all.

    `odd` is called for each that can't be done, with its exception at hand. That the database, or Redis, is away is
    raised: then it is nobody's fault.
    """
    try:
        with transaction.atomic():
            return do(things)
    except (RedisError, BrokerError, TimeoutError):
        raise
    except Exception as error:
        if unavailable(error):
            raise
        if len(things) == 1:
            odd(things[0])
            return 0
    return sum(each([one], do, odd) for one in things)
