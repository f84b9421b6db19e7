"""Behaviour of a task when Redis or the database goes away under it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from celery.exceptions import OperationalError as BrokerError
from django.db import Error
from redis import RedisError

from metrics.database import unavailable
from metrics.redis_state import outage

P = ParamSpec("P")


def skip_during_outage(task: Callable[P, None]) -> Callable[P, None]:
    """Let `task` end with one line in the log when Redis or the database does not answer.

    Nothing is lost by it: slots come again, and marks that were not taken back are found by the next sweep.
    """

    @wraps(task)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            task(*args, **kwargs)
        except (RedisError, BrokerError, TimeoutError) as error:
            outage.log(f"{task.__name__} was put off", error)
        except Error as error:
            reason = unavailable(error)
            if not reason:
                raise
            outage.log(f"{task.__name__} was put off: {reason}", error)

    return run
