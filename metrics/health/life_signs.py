"""Signs of life of what runs in this process, told Redis each second by a thread of its own: tasks may take all others.

A worker gives one for as long as that thread runs. What else runs in the process, as beat and tasks, notes here when it
did: the sign goes with the worker's next, with the time at which it was noted. So all of them are one round trip.
"""

import threading
import time
from contextlib import suppress
from typing import Any

from redis import RedisError

from metrics.health import standstill
from metrics.health import store as health
from metrics.redis_state.round_trip import Commands, ask_together

_workers: list[health.LifeSign] = []
_noted: dict[str, Commands[Any]] = {}
_changing = threading.Lock()
_thread: threading.Thread | None = None


def begin(worker: str = "") -> None:
    """Give signs from now on: what is noted, and that of a `worker` with this name, if this is one."""
    global _thread
    with _changing:
        if worker:
            _workers.append(health.LifeSign(worker))
        if _thread is None:
            _thread = threading.Thread(target=_give_each_second, name="life signs", daemon=True)
            _thread.start()


def note(name: str, now: float, running_s: float = 0.0) -> None:
    """Have a sign at `now` (Unix seconds) given within a second, as `store.record` does at once."""
    with _changing:
        _noted[name] = health.sign(name, now, running_s)


def give(watch: standstill.Watch, now: float, ticks: float) -> None:
    """Give all signs, each once; a worker also looks whether anything stands still. Raises RedisError."""
    with _changing:
        noted = _noted.copy()
        _noted.clear()
    given = [*noted.values(), *(one.at(now, ticks) for one in _workers)]
    try:
        if _workers:
            *_, signs = ask_together(*given, health.newest_signs())
            watch.log_change(standstill.look_at(signs, now))
        elif given:
            ask_together(*given)
    except RedisError:
        with _changing:
            _noted.update({**noted, **_noted})  # what was noted meanwhile is newer
        raise


def _give_each_second() -> None:
    watch = standstill.Watch()
    while True:
        with suppress(RedisError):  # /readyz and pages say by themselves that there was none
            give(watch, time.time(), time.monotonic())
        time.sleep(health.SIGN_EVERY_S)
