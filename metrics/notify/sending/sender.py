"""A process that sends one message, and ends: a copy of the one in `fork_server.py`.

It says its id, reads a job (JSON) from its standard input, and writes what came of it. That is noted in Redis before it
is told, and the process does not end with the one that asked: an answer counts though the worker was killed meanwhile.
"""

import base64
import json
import os
import resource
import signal
import time
import traceback
from contextlib import nullcontext, suppress
from typing import Any, NoReturn

from django.conf import settings

MEMORY_BYTES = 768 * 1024**2
NOTED_S = 86_400
REDIS_S = 2.0
"""For so long a Redis that hangs is waited for: once before the message is sent, and once after it."""
REDIS_TRIES, REDIS_EVERY_S = 20, 0.1
"""One that is away is tried again so often: it is usually back within seconds."""


def load(kind: str) -> None:
    """Import what sending through channels of a `kind` needs."""
    import redis  # noqa: F401

    from metrics.notify.registry import kind_of

    kind_of(kind).load()


def main() -> NoReturn:
    """Send, and end this process."""
    try:
        _work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)  # threads of others may hang


def _work() -> None:
    os.write(1, f"{os.getpid()}\n".encode())
    with open(0, "rb", closefd=False) as input:
        given = input.read()
    if not given:  # whoever asked is gone
        return
    job = json.loads(given)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, job["ends_s"])  # the system ends this process, whatever hangs in it
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    deadline = time.monotonic() + job["sends_s"]
    settings.configure(**job["settings"], USE_TZ=True)
    said = json.dumps(_once(job, deadline))
    with suppress(OSError):  # whoever asked is gone
        os.write(1, f"\n{said}\n".encode())


def _once(job: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Return what came of the job; what was sent before is not sent again."""
    import redis
    from redis.backoff import ConstantBackoff
    from redis.retry import Retry

    retry = Retry(ConstantBackoff(REDIS_EVERY_S), REDIS_TRIES, (redis.ConnectionError,))
    limits: dict[str, Any] = {"socket_timeout": REDIS_S, "socket_connect_timeout": REDIS_S, "retry": retry}
    try:
        noted = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, **limits)
        known = noted.get(job["noted_as"])
    except redis.RedisError:
        return {"error": "Redis does not answer.", "permanent": False, "wait_s": None, "is_ours": True}
    if known:
        found: dict[str, Any] = json.loads(str(known))
        return found
    outcome = _sent(job, deadline)
    if "error" not in outcome:
        with suppress(redis.RedisError):
            noted.set(job["noted_as"], json.dumps(outcome), ex=NOTED_S)
    return outcome


def _sent(job: dict[str, Any], deadline: float) -> dict[str, Any]:
    from metrics.notify.base import ChannelError
    from metrics.notify.message import Message
    from metrics.notify.registry import kind_of
    from metrics.sources import network_policy

    kind = kind_of(job["kind"])
    picture = base64.b64decode(job["picture"]) if job["picture"] else None
    message = Message.of(job["message"], picture)
    config = kind.config_class.model_validate(job["config"])
    with nullcontext() if job["trusted"] else network_policy.limited():
        try:
            receipt = kind.send(config, message, deadline, job["earlier"])
        except ChannelError as problem:
            return {"error": str(problem), "permanent": problem.permanent, "wait_s": problem.wait_s}
    return {"said": receipt.said, "id": receipt.id}
