"""Fixtures of the tests of sources; among them servers to ask: real ones, each started once."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metrics.sources import tls
from tests import mariadb, postgresql, redis_server


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Return a function that has the certificates in a file count as authorities, as SSL_CERT_FILE does."""

    def trusted(file: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        tls.forget()

    yield trusted
    tls.forget()


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder for servers' sockets, whose paths may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="wf-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def a_postgresql(short_folder: Path) -> Iterator[postgresql.Server]:
    (short_folder / "postgresql").mkdir()
    with postgresql.postgresql(short_folder / "postgresql") as server:
        yield server


@pytest.fixture(scope="session")
def a_mariadb(short_folder: Path) -> Iterator[mariadb.Server]:
    (short_folder / "mariadb").mkdir()
    with mariadb.mariadb(short_folder / "mariadb") as server:
        yield server


@pytest.fixture(scope="session")
def a_redis(short_folder: Path) -> Iterator[redis_server.Server]:
    (short_folder / "redis").mkdir()
    with redis_server.redis_server(short_folder / "redis") as server:
        yield server
