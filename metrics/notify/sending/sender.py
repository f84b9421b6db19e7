"""`python -m metrics.notify.sending.sender`: sends one message, and ends.

It reads a job (JSON) from its standard input, and writes what came of it. That is noted in Redis before it is told, and
the process does not end with the one that started it: an answer counts though the worker was killed meanwhile.
"""

import base64
import json
import os
import resource
import signal
import sys
import time
from contextlib import nullcontext, suppress
from typing import Any

from django.conf import settings

MEMORY_BYTES = 768 * 1024**2
NOTED_S = 86_400
REDIS_S = 2.0


def main() -> None:
    job = json.loads(sys.stdin.buffer.read())
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, job["ends_s"])  # the system ends this process, whatever hangs in it
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    deadline = time.monotonic() + job["sends_s"]
    settings.configure(**job["settings"], USE_TZ=True)
    said = json.dumps(_once(job, deadline))
    with suppress(BrokenPipeError):  # whoever asked is gone
        os.write(1, said.encode() + b"\n")
    os._exit(0)  # threads of others may hang


def _once(job: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Return what came of the job; what was sent before is not sent again."""
    import redis

    try:
        noted = redis.Redis.from_url(
            settings.REDIS_URL, decode_responses=True, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S
        )
        known = noted.get(job["noted_as"])
    except redis.RedisError:
        return {"error": "Redis does not answer.", "permanent": False, "wait_s": None}
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


if __name__ == "__main__":
    main()
