"""Starting the process that sends, and waiting for what comes of it."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Message

log = structlog.get_logger(__name__)

ROOT = Path(__file__).parents[3]
SENDS_S = 20.0
"""Time that a channel has."""
ENDS_S = 23.0
"""By then the process is gone, be it as its own alarm ends it."""
WAITS_S = 25.0
NEEDED = ("ALLOW_PRIVATE_ADDRESSES", "EMAIL_FROM", "EMAIL_URL", "REDIS_URL", "TIME_ZONE")
OURS = ("ADMIN_PASSWORD", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "EMAIL_URL", "REDIS_URL", "SECRET_KEY")
"""Environment variables that the process is not given: what it needs of them is in its job."""


@dataclass(frozen=True, slots=True)
class Job:
    """A message for a channel of a `kind`: its `config` with credentials, and whether it is `trusted`.

    `noted_as` is the key in Redis under which an answer is noted, `earlier` are ids of the conversation so far.
    """

    kind: str
    config: Mapping[str, Any]
    trusted: bool
    message: Message
    noted_as: str
    earlier: Sequence[str] = ()

    def json(self) -> bytes:
        picture = base64.b64encode(self.message.picture).decode() if self.message.picture else ""
        return json.dumps(
            {
                "kind": self.kind,
                "config": dict(self.config),
                "trusted": self.trusted,
                "message": self.message.document(),
                "picture": picture,
                "noted_as": self.noted_as,
                "earlier": list(self.earlier),
                "sends_s": SENDS_S,
                "ends_s": ENDS_S,
                "settings": {name: getattr(settings, name) for name in NEEDED},
            }
        ).encode()


def send(job: Job) -> Receipt:
    """Send a message in a process of its own, and return the receipt. Raises ChannelError."""
    command = [sys.executable, "-P", "-m", "metrics.notify.sending.sender"]
    process = subprocess.Popen(
        command,
        env=_environment(),
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            output, errors = process.communicate(job.json(), WAITS_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise ChannelError(f"It took longer than {SENDS_S:g} s.") from None
    return _read(process.returncode, output, errors)


def _read(code: int, output: bytes, errors: bytes) -> Receipt:
    if not output.endswith(b"\n"):
        if code == -signal.SIGALRM:
            raise ChannelError(f"It took longer than {SENDS_S:g} s.")
        last = errors.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0]
        log.warning("a process that sends ended without an answer", code=code, error=last)  # more may hold a token
        raise ChannelError(f"The process that sends ended by itself ({last[:100] or code}).")
    said = json.loads(output)
    if "error" in said:
        raise ChannelError(said["error"], permanent=said["permanent"], wait_s=said["wait_s"])
    return Receipt(said["said"], said["id"])


def _environment() -> dict[str, str]:
    ours = {*OURS, *(f"{name}_FILE" for name in OURS), "SECRET_KEY_FALLBACKS", "SECRET_KEY_FALLBACKS_FILE"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "HOME": "/nonexistent"}  # no .netrc of whoever runs us
