"""Deliveries: asking a worker to send one."""

from collections.abc import Sequence

from celery import current_app

TASK = "tasks.deliveries.deliver"
QUEUE = "deliver"
WORTH_S = 5
"""Beat's tick asks again for what was not begun by then."""


def ask(deliveries: Sequence[int]) -> None:
    """Have `deliveries` (ids) sent as soon as a thread is free. Raises celery's OperationalError without Redis."""
    for one in deliveries:
        current_app.send_task(TASK, args=[one], queue=QUEUE, expires=WORTH_S)
