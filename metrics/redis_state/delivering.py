"""Deliveries: asking a worker to send one, and the key under which the process that sends notes an answer."""

from collections.abc import Sequence

from celery import current_app

from metrics.redis_state.connection import KEY

TASK = "tasks.deliveries.deliver"
QUEUE = "system"
WORTH_S = 5
"""Beat's tick asks again for what was not begun by then."""
SENT = f"{KEY}delivered:"


def ask(deliveries: Sequence[int]) -> None:
    """Have `deliveries` (ids) sent. Raises celery's OperationalError without Redis."""
    for one in deliveries:
        current_app.send_task(TASK, args=[one], queue=QUEUE, expires=WORTH_S)
