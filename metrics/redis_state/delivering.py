"""Deliveries: asking a worker to send one, or soon, and the key under which the process that sends notes an answer."""

from collections.abc import Collection, Sequence

from celery import current_app

from metrics.redis_state.connection import KEY

TASK, LOAD, TELL = "tasks.deliveries.deliver", "tasks.deliveries.load", "tasks.system.tell"
QUEUE = "system"
WORTH_S = 5
"""Beat's tick asks again for what was not begun by then."""
SENT = f"{KEY}delivered:"


def ask(deliveries: Sequence[int]) -> None:
    """Have `deliveries` (ids) sent. Raises celery's OperationalError without Redis."""
    for one in deliveries:
        current_app.send_task(TASK, args=[one], queue=QUEUE, expires=WORTH_S)


def ask_soon(kinds: Collection[str], settles_s: float) -> None:
    """Have a worker load what sending through `kinds` of channels needs, and tell what settled in `settles_s`.

    Raises celery's OperationalError without Redis.
    """
    if kinds:
        current_app.send_task(LOAD, args=[sorted(kinds)], queue=QUEUE, expires=WORTH_S)
        current_app.send_task(TELL, queue=QUEUE, countdown=settles_s, expires=WORTH_S)
