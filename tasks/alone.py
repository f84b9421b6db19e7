"""One run of a task at a time in a process: one that hangs with the database takes one thread, and not one a second."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def alone(task: Callable[P, None]) -> Callable[P, None]:
    """Let `task` do nothing while an earlier run of it goes on in this process. Beat sends the next one soon."""
    running = threading.Lock()

    @wraps(task)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        if not running.acquire(blocking=False):
            return
        try:
            task(*args, **kwargs)
        finally:
            running.release()

    return run
