"""A job for a process that sends, and what comes of it."""

import base64
import json
import os
import signal
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings

from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Message
from metrics.notify.sending import servers

log = structlog.get_logger(__name__)

SENDS_S = 20.0
"""Time that a channel has."""
ENDS_S = 23.0
"""By then the process is gone, be it as its own alarm ends it."""
WAITS_S = 25.0
NEEDED = ("ALLOW_PRIVATE_ADDRESSES", "EMAIL_FROM", "EMAIL_URL", "REDIS_URL", "TIME_ZONE")
TOO_LONG = f"It took longer than {SENDS_S:g} s."
NOT_STARTED = "The process that sends could not be started in time."


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


def ahead(kinds: Iterable[str]) -> None:
    """Have loaded soon what sending through `kinds` of channels needs; if that can't be started now, it is later."""
    for kind in kinds:
        with suppress(OSError):
            servers.of(kind).start()


def send(job: Job) -> Receipt:
    """Send a message in a process of its own, and return the receipt. Raises ChannelError."""
    began = time.monotonic()
    try:
        opened, pid = _sender(job.kind, began + WAITS_S)
    except TimeoutError:
        raise ChannelError(NOT_STARTED, is_ours=True) from None
    try:
        with opened:
            try:
                output = _answer(opened, job.json(), began + WAITS_S)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                raise
    except TimeoutError:
        raise ChannelError(TOO_LONG) from None
    return _read(output, time.monotonic() - began)


def _sender(kind: str, until: float) -> tuple[socket.socket, int]:
    """Return a socket to a new process that sends, and its id. Raises ChannelError, and TimeoutError."""
    with suppress(servers.GoneError):
        return servers.of(kind).sender(until)
    try:
        return servers.of(kind).sender(until)  # it was killed, and has begun nothing
    except servers.GoneError:
        raise ChannelError("The process that sends could not be started.") from None


def _answer(opened: socket.socket, job: bytes, until: float) -> bytes:
    """Return all that a process says to its job. Raises TimeoutError."""
    output = b""
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended, which says it all
        opened.settimeout(max(0.001, until - time.monotonic()))
        opened.sendall(job)
        opened.shutdown(socket.SHUT_WR)
        while said := opened.recv(65_536):
            output += said
            opened.settimeout(max(0.001, until - time.monotonic()))
    return output


def _read(output: bytes, took_s: float) -> Receipt:
    last = output.decode(errors="replace").strip().rpartition("\n")[2]
    try:
        said = json.loads(last)
        if "error" in said:
            ours = said.get("is_ours", False)
            raise ChannelError(said["error"], permanent=said["permanent"], wait_s=said["wait_s"], is_ours=ours)
        return Receipt(said["said"], said["id"])
    except (ValueError, TypeError, KeyError):
        if took_s >= ENDS_S:
            raise ChannelError(TOO_LONG) from None
    problem = last.partition(":")[0][:100]  # more may hold a token
    log.warning("a process that sends ended without an answer", error=problem)
    raise ChannelError(f"The process that sends ended by itself{problem and f' ({problem})'}.")
