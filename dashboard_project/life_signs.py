"""Signs of life of what runs in this process, told Redis each second by a thread of its own: tasks may take all others.

A worker gives one for as long as that thread runs. Beat may run in the same process, and in a thread that hangs: it
notes here that it goes on, and its sign goes with the worker's.
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
_starting = threading.Lock()
_thread: threading.Thread | None = None


def begin(worker: str = "") -> None:
    """Give signs from now on: what is noted, and that of a `worker` with this name, if this is one."""
    global _thread
    if worker:
        _workers.append(health.LifeSign(worker))
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_give_each_second, name="life signs", daemon=True)
            _thread.start()


def note(sign: health.LifeSign, now: float, ticks: float) -> None:
    """Have a sign at `now` (Unix seconds) and `ticks` (monotonic seconds) given soon."""
    _noted[sign.name] = sign.at(now, ticks)


def give(watch: standstill.Watch, now: float, ticks: float) -> None:
    """Give all signs in one round trip; a worker also looks whether anything stands still. Raises RedisError."""
    given = [*_noted.values(), *(one.at(now, ticks) for one in _workers)]
    if _workers:
        *_, signs = ask_together(*given, health.newest_signs())
        watch.log_change(standstill.look_at(signs, now))
    elif given:
        ask_together(*given)


def _give_each_second() -> None:
    watch = standstill.Watch()
    while True:
        with suppress(RedisError):  # /readyz and pages say by themselves that there was none
            give(watch, time.time(), time.monotonic())
        time.sleep(health.SIGN_EVERY_S)
