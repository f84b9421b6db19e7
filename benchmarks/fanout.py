"""How many frames a second one server core can hand out, and how late they come.

Every pattern sends the same bytes, a fragment of 2 KB and a pulse, to the same sockets, from the same core, in the
same run; ratios are to `websockets.broadcast` in that run. `limit` raises the offered rate until the delivered one
falls behind; `fixed` offers a rate that most can carry and compares how late frames come.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import (
    LOAD_CORE,
    OTHER_CORE,
    SERVER_CORE,
    Installation,
    Process,
    milliseconds,
    percentile,
    pin,
    table,
    usage,
    wait_for_port,
    free_port,
)
from benchmarks.servers.pace import FRAGMENT_BYTES
from benchmarks.sockets import Counts, Swarm

PATTERNS = {
    "broadcast": "`websockets.broadcast`, no framework",
    "hub": "this system, Daphne",
    "hub-uvicorn": "this system, uvicorn",
    "node": "Node `ws`, plain loop",
    "tutorial": "tutorials' pattern, `RedisChannelLayer`",
    "tutorial-pubsub": "tutorials' pattern, `RedisPubSubChannelLayer`",
}
YARDSTICK = "broadcast"
SLOW_START = {"tutorial": 2.0, "tutorial-pubsub": 2.0}  # frames a second
SETTLES_S = 1.0
RAISED_BY = 2**0.5
KEPT_UP = 0.95


class Target(NamedTuple):
    """A server that runs: where its sockets are, and who is told the rate."""

    server: Process
    rated: Process
    swarm: Swarm


@dataclass(frozen=True)
class Step:
    """What came of one offered rate, in frames per second and socket."""

    sockets: int
    rate: float
    counts: Counts
    cpu_s: float

    @property
    def delivered(self) -> float:
        return self.counts.frames / self.counts.seconds

    @property
    def kept_up(self) -> bool:
        return self.delivered >= KEPT_UP * self.rate * self.sockets
