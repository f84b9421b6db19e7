"""PostgreSQL behind a real PgBouncer that shares its connections: every transaction may get another one."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from metrics.sources.base import SourceError
from metrics.sources.postgres import Postgres, PostgresConfig
from metrics.sources.sql import Sql, SqlConfig
from tests.debian import installed
from tests.integration.stack import free_port
from tests.postgresql import Server
from tests.prometheus import running, wait_until_open
from tests.sources.between import Between

CONFIG = """
[databases]
* = host=127.0.0.1 port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 1
"""
SQL = {"engine": "postgresql", "host": "127.0.0.1", "metric": "x"}


@contextmanager
def pgbouncer(server: Server) -> Iterator[int]:
    """Run one in front of `server` with a single connection to it; yield its port."""
    as_whom = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="wf-pgbouncer-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "users").write_text(f'"{server.user}" "{server.password}"\n')
        (folder / "ini").write_text(CONFIG.format(server=server, port=port, folder=folder))
        with running([installed("pgbouncer"), *as_whom, str(folder / "ini")], folder / "log"):
            wait_until_open(port, folder / "log")
            yield port


@pytest.fixture(scope="module")
def port(a_postgresql: Server) -> Iterator[int]:
    with pgbouncer(a_postgresql) as port:
        yield port


@pytest.fixture
def ask(port: int, a_postgresql: Server) -> Callable[..., list[float]]:
    who = {"user": a_postgresql.user, "password": a_postgresql.password, "database": a_postgresql.database}

    def asked(query: str, port: int = port, **fields: object) -> list[float]:
        config = SqlConfig.model_validate({**SQL, **who, "port": port, "query": query, **fields})
        return [one.value for one in Sql().collect(config)]

    return asked


def test_the_statistics_of_the_server(port: int, a_postgresql: Server) -> None:
    where = {"host": "127.0.0.1", "port": port, "user": a_postgresql.user, "password": a_postgresql.password}
    found = Postgres().collect(PostgresConfig.model_validate(where))
    assert {"postgres_connections", "postgres_commits_total"} <= {one.metric for one in found}


def test_run_after_run_gets_its_answer_and_leaves_no_setting_behind(ask: Callable[..., list[float]]) -> None:
    for number in range(10):
        assert ask(f"SELECT {number} AS value", timeout_s=3) == [number]
    settings = "SELECT name AS n, setting::int AS value FROM pg_settings WHERE name = 'statement_timeout'"
    assert 20_000 < ask(settings, timeout_s=25)[0] <= 25_000


def test_a_query_that_takes_too_long_or_is_cut_off_keeps_no_connection(
    ask: Callable[..., list[float]], port: int
) -> None:
    with pytest.raises(SourceError, match=r"^It took longer than 0\.5 s\.$"):
        ask("SELECT pg_sleep(30)::text AS n, 1 AS value", timeout_s=0.5)
    assert ask("SELECT 1 AS value") == [1]
    with Between(port, freeze_on=b"SELECT 2") as between, pytest.raises(SourceError, match="longer than"):
        ask("SELECT 2 AS value", port=between.port, timeout_s=0.5)
    assert ask("SELECT 3 AS value") == [3]
