"""The patterns that `benchmarks.fanout` compares, and how a server of each is started."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import OTHER_CORE, SERVER_CORE, Installation, Process, free_port, wait_for_port
from benchmarks.servers.pace import FRAGMENT_BYTES

NODE_SERVER = Path(__file__).with_name("node.mjs")
NPM_S = 60


class NotHereError(Exception):
    """A pattern needs what this machine lacks; the text is a sentence."""


class Server(NamedTuple):
    """A server that runs: the process, who is told the rate, and where its sockets are."""

    process: Process
    rated: Process
    port: int
    path: str = "/"
    token: str = ""
    acknowledged: bool = False


@contextmanager
def hub(kind: str) -> Iterator[Server]:
    """Start this system's web process as it is, under Daphne or uvicorn."""
    with Installation() as installation, ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.servers.hub", kind, str(installation.port)]
        web = _running(stack, Process(command, SERVER_CORE, installation.env))
        publishes = [sys.executable, "-m", "benchmarks.servers.publisher", "hub", installation.slug, "1h"]
        publisher = _running(stack, Process(publishes, OTHER_CORE, installation.env))
        wait_for_port(installation.port)
        path = f"/ws/dashboards/{installation.slug}/?range=1h"
        yield Server(web, publisher, installation.port, path, installation.token, acknowledged=True)


@contextmanager
def tutorial(layer: str) -> Iterator[Server]:
    """Start one consumer and one channel per socket."""
    with Installation() as installation, ExitStack() as stack:
        url = f"unix://{installation.folder / 'redis.sock'}"
        port = str(installation.port)
        web = _module(stack, "tutorial", port, url, layer)
        command = [sys.executable, "-m", "benchmarks.servers.publisher", "tutorial", url, layer]
        publisher = _running(stack, Process(command, OTHER_CORE))
        wait_for_port(installation.port)
        yield Server(web, publisher, installation.port)


@contextmanager
def broadcast() -> Iterator[Server]:
    """Start the yardstick."""
    with ExitStack() as stack:
        port = free_port()
        server = _module(stack, "broadcast", str(port))
        wait_for_port(port)
        yield Server(server, server, port)


@contextmanager
def node() -> Iterator[Server]:
    """Install the package ws in a temporary folder, and start a plain loop."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise NotHereError("node or npm is not installed.")
    with tempfile.TemporaryDirectory(prefix="wf-node-") as folder, ExitStack() as stack:
        shutil.copy(NODE_SERVER, folder)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, "ws"]
        try:
            subprocess.run(install, check=True, timeout=NPM_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.SubprocessError:
            raise NotHereError("the npm package ws could not be installed.") from None
        port = free_port()
        command = ["node", f"{folder}/{NODE_SERVER.name}", str(port), str(FRAGMENT_BYTES)]
        server = _running(stack, Process(command, SERVER_CORE))
        wait_for_port(port)
        yield Server(server, server, port)


def _module(stack: ExitStack, name: str, *arguments: str) -> Process:
    return _running(stack, Process([sys.executable, "-m", f"benchmarks.servers.{name}", *arguments], SERVER_CORE))


def _running(stack: ExitStack, process: Process) -> Process:
    stack.callback(process.stop)
    return process


class Pattern(NamedTuple):
    """A way to hand out frames: what tables call it, and how a server of it is started."""

    title: str
    start: Callable[[], AbstractContextManager[Server]]


PATTERNS = {
    "broadcast": Pattern("`websockets.broadcast`, no framework (yardstick)", broadcast),
    "hub": Pattern("this system, Daphne", partial(hub, "daphne")),
    "hub-uvicorn": Pattern("this system, uvicorn", partial(hub, "uvicorn")),
    "node": Pattern("Node `ws`, plain loop", node),
    "tutorial": Pattern("tutorials' pattern on Daphne, `RedisChannelLayer`", partial(tutorial, "core")),
    "tutorial-pubsub": Pattern("tutorials' pattern on Daphne, `RedisPubSubChannelLayer`", partial(tutorial, "pubsub")),
}
