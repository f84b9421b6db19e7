"""Web Push: asking a worker to send, and what was sent already, so that nothing is sent twice."""

from collections.abc import Collection, Sequence
from typing import cast

from celery import current_app

from metrics.redis_state.connection import KEY, client

TASK = "tasks.notifications.push"
QUEUE = "collect"
WORTH_S = 3600
SENT_KEPT_S = 86_400


def ask(notifications: Sequence[int], tried: int = 0, wait_s: float = 0) -> None:
    """Have `notifications` (ids) sent after `wait_s` seconds. Raises celery's OperationalError without Redis."""
    arguments = [list(notifications), tried]
    current_app.send_task(TASK, args=arguments, queue=QUEUE, countdown=wait_s or None, expires=WORTH_S + wait_s)


def sent(pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of `pairs`, a notification (id) and a subscription (id) each, that were sent. Raises RedisError."""
    if not pairs:
        return set()
    known = cast(list[str | None], client().mget([_key(*pair) for pair in pairs]))
    return {pair for pair, was in zip(pairs, known, strict=True) if was}


def note_sent(pairs: Collection[tuple[int, int]]) -> None:
    """Note that `pairs` were sent. Raises RedisError."""
    with client().pipeline(transaction=False) as pipe:
        for pair in pairs:
            pipe.set(_key(*pair), "1", ex=SENT_KEPT_S)
        pipe.execute()


def _key(notification: int, subscription: int) -> str:
    return f"{KEY}pushed:{notification}:{subscription}"
