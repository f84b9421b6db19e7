"""A real MariaDB of the tests' own: `with mariadb(folder) as server: …`."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from tests.debian import installed
from tests.integration.stack import free_port
from tests.prometheus import running
from tests.sources import certificates

STARTS_S = 30.0
TABLES = Path("/usr/share/mysql")
LEAN = ("--no-defaults", "--user=root", "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M")


@dataclass(frozen=True)
class Server:
    """Where it listens: `port` of 127.0.0.1, and `socket`. `certificate` is what it shows, signed by itself."""

    port: int
    socket: Path
    certificate: Path

    user = "reader"
    password = "pass wörd"
    database = "shop"

    def run(self, *statements: str) -> None:
        """Execute statements as somebody who may."""
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def _connect(self) -> "pymysql.Connection[Any]":
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=self.database)


@contextmanager
def mariadb(folder: Path) -> Iterator[Server]:
    """Run one in `folder`, which has to be new and its path short."""
    program = installed("mariadbd")
    certificate = certificates.make(["localhost", "127.0.0.1"]).write(folder / "certificate.pem")
    server = Server(free_port(), folder / "socket", certificate)
    data, temporary = folder / "data", folder / "temporary"
    for each in (data, temporary):
        each.mkdir()
    # A server that starts deletes every temporary table in its folder for them: those of another one too.
    where = [f"--datadir={data}", f"--tmpdir={temporary}"]
    _bootstrap([program, *LEAN, *where, "--bootstrap"])
    listening = [f"--port={server.port}", "--bind-address=127.0.0.1", f"--socket={server.socket}"]
    tls = [f"--ssl-cert={certificate}", f"--ssl-key={certificate}"]
    with running([program, *LEAN, *where, *listening, *tls], folder / "log"):
        _wait(server, folder / "log")
        yield server


def _bootstrap(command: list[str]) -> None:
    """Make the system's tables and a user, as the server itself does it, which takes a second."""
    tables = [(TABLES / file).read_text() for file in ("mysql_system_tables.sql", "mysql_system_tables_data.sql")]
    statements = [
        "create database mysql;",
        "use mysql;",
        *tables,
        "flush privileges;",
        f"create user '{Server.user}'@'%' identified by '{Server.password}';",
        f"create database {Server.database} character set utf8mb4;",
        f"grant all on {Server.database}.* to '{Server.user}'@'%';",
        "create or replace user root@localhost;",
        "grant all on *.* to root@localhost with grant option;",
    ]
    done = subprocess.run(command, input="\n".join(statements).encode(), check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def _wait(server: Server, log: Path) -> None:
    until = time.monotonic() + STARTS_S
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if not probe.connect_ex(str(server.socket)):
                return
        assert time.monotonic() < until, f"MariaDB does not answer:\n{log.read_text()[-2000:]}"
        time.sleep(0.05)
