"""A real Prometheus that scrapes itself each second: `with prometheus() as url: …`."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from dashboard_project.processes import die_with_parent
from tests.debian import program
from tests.integration.stack import free_port

STARTS_S = 90.0
ENDS_S = 60.0
"""Far more than either takes: it tells what hangs from a machine that is busy."""
CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


@contextmanager
def prometheus(more_config: str = "") -> Iterator[str]:
    """Run one until the end of the block; yield its URL once it scraped itself, which takes some seconds.

    `more_config` is YAML, such as remote_write.
    """
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="wf-prometheus-", dir="/tmp"))
    (folder / "prometheus.yml").write_text(CONFIG.format(port=port) + more_config)
    url = f"http://127.0.0.1:{port}"
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    try:
        with running(command, folder / "log"):
            wait_for(f"{url}/api/v1/query?query=up", '"value"', folder / "log")
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `command` until the end of the block, and no longer than this process; what it prints goes into `log`."""
    with log.open("wb") as output, subprocess.Popen(die_with_parent(*command), stdout=output, stderr=output) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=ENDS_S)


def wait_for(url: str, words: str, log: Path) -> None:
    """Wait until `url` answers with `words` somewhere."""

    def answers() -> bool:
        return words in httpx.get(url, trust_env=False).text

    _wait(answers, f"{url} does not say {words}", log)


def wait_until_open(port: int, log: Path) -> None:
    """Wait until `port` of 127.0.0.1 opens."""

    def opens() -> bool:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True

    _wait(opens, f"port {port} does not open", log)


def _wait(ready: Callable[[], bool], complaint: str, log: Path) -> None:
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until:
        try:
            if ready():
                return
        except (httpx.TransportError, OSError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"{complaint}:\n{log.read_text(errors='replace')[-2000:]}")
