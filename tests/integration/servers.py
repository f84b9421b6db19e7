"""Other web servers on a system's data, beside its own: its fallback, and those that the docs name."""

import subprocess
import sys
import time
from collections import UserDict
from contextlib import suppress
from typing import IO, Self

import httpx

from tests.integration.stack import READY_S, STOPS_S, Stack, free_port
from tests.migrated import ROOT

COMMANDS = {
    "stock": "-m dashboard_project.server",
    "runserver": "manage.py runserver --noreload {port}",
    "daphne": "-m daphne --port {port} dashboard_project.asgi:application",
    "uvicorn": "-m uvicorn --port {port} dashboard_project.asgi:application",
}
PLAIN = ("stock", "uvicorn")
"""No frame is shared here: our server with Daphne as it comes, and a server that is none of Daphne's."""


class Server:
    """One web server, which may be killed and started again on its port."""

    def __init__(self, name: str, stack: Stack, log: IO[bytes]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, *COMMANDS[name].format(port=self.port).split()]
        self._env = stack.env | {"PORT": str(self.port), "EXTEND_DAPHNE": "false"}
        self._log = log
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._env, stdout=self._log, stderr=subprocess.STDOUT
        )

    def wait(self) -> None:
        """Return once it answers."""
        until = time.monotonic() + READY_S
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"{self.url}/healthz", timeout=60).raise_for_status()
                return
            assert time.monotonic() < until
            time.sleep(0.1)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOPS_S)


class Servers(UserDict[str, Server]):
    """Servers by their name, each started when it is first asked for."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack
        self._log = stack.log.open("ab")

    def __missing__(self, name: str) -> Server:
        self[name] = made = Server(name, self._stack, self._log)
        return made

    def started(self, *names: str) -> list[Server]:
        """Return these servers once they answer; they start at the same time."""
        found = [self[name] for name in names]
        for one in found:
            one.wait()
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.values():
            one.process.terminate()
        for one in self.values():
            one.process.wait(STOPS_S)
        self._log.close()
