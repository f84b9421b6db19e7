"""A real Redis that listens on TCP and asks for a password, unlike the one that most tests use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from dashboard_project import local_redis
from tests.integration.stack import free_port
from tests.prometheus import running


@dataclass(frozen=True)
class Server:
    """Where it listens: `port` of 127.0.0.1, and `socket`."""

    port: int
    socket: Path

    password = "pass wörd"

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, password=self.password, decode_responses=True)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[Server]:
    """Run one in `folder`, which has to be new and its path short."""
    server = Server(free_port(), folder / "socket")
    command = local_redis.command(local_redis.find_server(), server.socket, folder)
    command[command.index("--port") + 1] = str(server.port)
    with running([*command, "--bind", "127.0.0.1", "--requirepass", server.password, *options], folder / "output"):
        local_redis.wait_for(f"redis://:pass%20w%C3%B6rd@127.0.0.1:{server.port}", 10)
        yield server
