"""Signs of life of what runs in this process, told Redis by a thread of its own: tasks may take all others.

A worker gives one for as long as that thread runs. Other parts that run in the process, as beat and tasks, note here
that they ran: their signs go with the worker's next one, with the times at which they were noted. So all of them are
one round trip.
"""

import os
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from redis import RedisError

from metrics.health import standstill
from metrics.health import store as health
from metrics.redis_state.round_trip import Commands, ask_all

log = structlog.get_logger(__name__)

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
            _thread = threading.Thread(target=_give_forever, name="life signs", daemon=True)
            _thread.start()


def note(name: str, now: float, running_s: float = 0.0) -> None:
    """Have a sign at `now` (Unix seconds) given within two seconds, as `store.record` does at once."""
    begin()
    with _changing:
        _noted[name] = health.sign(name, now, running_s)


def give(watch: standstill.Watch, now: float, ticks: float) -> None:
    """Give all signs, each once; a worker also looks whether anything stands still. Raises RedisError."""
    with _changing:
        noted = _noted.copy()
        _noted.clear()
    given = [*noted.values(), *(one.at(now, ticks) for one in _workers)]
    asked = [health.newest_signs()] if _workers else []
    try:
        answers = ask_all(*given, *asked) if given else []
    except Exception:
        with _changing:
            _noted.update({**noted, **_noted})  # what was noted meanwhile is newer
        raise
    if asked:
        watch.log_change(standstill.look_at(answers[-1], now))


def _give_forever() -> None:
    watch = standstill.Watch()
    while True:
        _try_to_give(watch)
        time.sleep(health.SIGN_EVERY_S)


def _try_to_give(watch: standstill.Watch) -> None:
    try:
        with suppress(RedisError):  # /readyz and pages say by themselves that there was none
            give(watch, time.time(), time.monotonic())
    except Exception:
        log.exception("signs of life were not given")


def _forget() -> None:
    """Have a process that was forked give its own signs: the thread, and the worker, are those of the other."""
    global _changing, _thread
    _changing, _thread = threading.Lock(), None
    _workers.clear()
    _noted.clear()


os.register_at_fork(after_in_child=_forget)
