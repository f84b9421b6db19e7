"""Requests to the collecting worker: a run now, or a trial, whose samples are shown and not stored.

Tasks are asked for by name. A process that asks for a trial leaves the question in Redis under a random id, has a
worker told the id, and waits for the answer in a list of its own. Both lapse by themselves.
"""

import secrets
import time
from typing import cast

from celery import current_app

from metrics.redis_state.connection import KEY, client

RUN_TASK = "tasks.collect.collect"
TRIAL_TASK = "tasks.collect.trial"
QUEUE = "collect"
RUN_WORTH_S = 60
ANSWER_KEPT_S = 60
WAIT_S = 2
"""Of one blocking call, which has to end before the connection's own timeout."""


def run(source: int) -> None:
    """Have `source` run as soon as a worker is free. Raises celery's OperationalError without Redis."""
    current_app.send_task(RUN_TASK, args=[source], queue=QUEUE, expires=RUN_WORTH_S)


def ask(question: str, timeout_s: float) -> str | None:
    """Have a trial made; return its answer, None if none comes in time. Raises RedisError or OperationalError."""
    id, until = secrets.token_hex(16), time.monotonic() + timeout_s
    client().set(_question(id), question, ex=int(timeout_s) + 1)
    current_app.send_task(TRIAL_TASK, args=[id], queue=QUEUE, expires=timeout_s)
    while (left_s := until - time.monotonic()) > 0:
        found = cast(tuple[str, str] | None, client().blpop([_answer(id)], timeout=min(WAIT_S, left_s)))
        if found is not None:
            return found[1]
    return None


def take(id: str) -> str | None:
    """Return the question `id`, once; None if nobody waits for its answer any more."""
    return cast(str | None, client().getdel(_question(id)))


def answer(id: str, text: str) -> None:
    """Give `text` to who asked question `id`."""
    pipe = client().pipeline()
    pipe.rpush(_answer(id), text)
    pipe.expire(_answer(id), ANSWER_KEPT_S)
    pipe.execute()


def _question(id: str) -> str:
    return f"{KEY}trial:{id}"


def _answer(id: str) -> str:
    return f"{KEY}trial:{id}:answer"
