"""Cost of compressing frames for the server, and savings on the line.

The same frames, of widgets as the system renders them, go to sockets that offer nothing, to sockets that offer
permessage-deflate, and to as many of each together; in one run, one after the other. The benchmark measures our own web
process: bytes per frame on the wire, and CPU per frame and socket.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.common import (
    LOAD_CORE,
    OTHER_CORE,
    SERVER_CORE,
    Installation,
    Process,
    pin,
    table,
    usage,
    wait_for_port,
)
from benchmarks.sockets import Swarm

SLUG, RANGE = "compression", "1h"
SETTLES_S = 2.0
HEADERS = (
    "sockets",
    "frames/s",
    "bytes per frame",
    "ratio",
    "CPU per frame and socket (µs)",
    "ratio",
    "memory per socket (kB)",
)


class Outcome(NamedTuple):
    """Frames that one crowd of sockets was sent, and their cost to the web process."""

    frames_per_s: float
    frame_bytes: float
    frame_cpu_us: float
    socket_bytes: float


def measure(port: int, token: str, web: Process, sockets: int, offers: bool, seconds: float) -> Outcome:
    """Open `sockets`, let them read for `seconds`, and close them."""
    path = f"/ws/dashboards/{SLUG}/?range={RANGE}"
    swarm = Swarm(port, path, token, acknowledge=True, deflate=offers)
    before_bytes = usage(web.pid).rss_bytes
    try:
        swarm.connect(sockets)
        swarm.read_first()
        swarm.read(SETTLES_S)
        before = usage(web.pid)
        counts = swarm.read(seconds)
        cpu_s = usage(web.pid).cpu_s - before.cpu_s
    finally:
        swarm.close()
    frames = max(1, counts.frames)
    socket_bytes = (before.rss_bytes - before_bytes) / sockets
    return Outcome(frames / counts.seconds, counts.size_bytes / frames, cpu_s / frames * 1e6, socket_bytes)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks compression", description=__doc__)
    parser.add_argument("--sockets", type=int, default=500, help="how many of each kind (%(default)s)")
    parser.add_argument("--widgets", type=int, default=8, help="widgets in a frame (%(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each is measured (%(default)s)")
    parser.add_argument("--full", action="store_true", help="20 s each")
    chosen = parser.parse_args(arguments)
    seconds = 20.0 if chosen.full else chosen.seconds
    pin(LOAD_CORE)
    with Installation() as installation, ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.servers.hub", "daphne", str(installation.port)]
        web = Process(command, SERVER_CORE, installation.env)
        stack.callback(web.stop)
        feeds = [sys.executable, "-m", "benchmarks.servers.feeder", SLUG, str(chosen.widgets)]
        feeder = Process(feeds, OTHER_CORE, installation.env)
        stack.callback(feeder.stop)
        wait_for_port(installation.port)
        feeder.say(chosen.rate)
        rounds = [
            measure(installation.port, installation.token, web, chosen.sockets, offers, seconds)
            for offers in (False, True, False, True)
        ]
    plain, deflated = (min(rounds[first::2], key=lambda one: one.frame_cpu_us) for first in (0, 1))
    table(
        f"Frames of {chosen.widgets} widgets, {chosen.rate:g} a second, to {chosen.sockets:,} sockets",
        HEADERS,
        [row(name, one, plain) for name, one in (("plain", plain), ("permessage-deflate", deflated))],
    )


def row(name: str, one: Outcome, plain: Outcome) -> list[str]:
    return [
        name,
        f"{one.frames_per_s:,.0f}",
        f"{one.frame_bytes:,.0f}",
        f"{one.frame_bytes / plain.frame_bytes:.2f}",
        f"{one.frame_cpu_us:.1f}",
        f"{one.frame_cpu_us / plain.frame_cpu_us:.2f}",
        f"{one.socket_bytes / 1000:,.0f}",
    ]
