"""The nginx of `deploy/`, in front of a web server: `with nginx(url, folder) as front: …`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.debian import program
from tests.integration.stack import free_port
from tests.migrated import ROOT
from tests.prometheus import running, wait_for


@contextmanager
def nginx(web: str, folder: Path, trusted: str = "none") -> Iterator[str]:
    """Run it before the server at `web` until the end of the block; yield its URL.

    `trusted` is TRUSTED_PROXY. Changed are only where it listens, where the server is, and the folder for its files.
    """
    port = free_port()
    config = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in (
        ("/tmp/", f"{folder}/"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("http://web:8000", web),
        ("worker_connections 8192;", "worker_connections 64;"),  # more than a shell of a developer may open
    ):
        assert old in config
        config = config.replace(old, new)
    (folder / "nginx.conf").write_text(config)
    env = {**os.environ, "TRUSTED_PROXY": trusted}
    subprocess.run([ROOT / "deploy" / "trusted-proxy.sh", folder / "trusted-proxy.conf"], env=env, check=True)
    command = [program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    url = f"http://127.0.0.1:{port}"
    with running([*command, "-g", "daemon off;"], folder / "log"):
        wait_for(url, "", folder / "log")
        yield url
