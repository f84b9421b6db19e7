"""Databases in trouble, for tests: the real one refuses, as it would after a failover or with a full disk.

For tests with `django_db(transaction=True)`: new connections are opened, by whatever thread needs one.
"""

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import pytest
from django.db import connection

IS_POSTGRESQL = connection.vendor == "postgresql"


@contextmanager
def connected(place: Mapping[str, Any] = MappingProxyType({}), **options: Any) -> Iterator[None]:
    """Have all connections be made to another `place`, or with other OPTIONS."""
    usual = dict(connection.settings_dict)
    connection.settings_dict.update({**place, "OPTIONS": {**usual["OPTIONS"], **options}})
    _reconnect()
    try:
        yield
    finally:
        _reconnect()
        connection.settings_dict.update(usual)


def _reconnect() -> None:
    connection.close()
    if IS_POSTGRESQL:
        connection.close_pool()  # type: ignore[attr-defined]


@contextmanager
def small_disk(size_bytes: int) -> Iterator[Path]:
    """A folder on a disk of its own, of this size; the test is left out where nobody may mount one."""
    with tempfile.TemporaryDirectory(prefix="wf-", dir="/tmp") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=755", "tmpfs", folder]
        if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            pytest.skip("Only root may mount a disk.")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def mounted(file: Path) -> Iterator[None]:
    """Have `file` be a mount of its own, as secrets of containers are; the test is left out where nobody may mount."""
    mount = ["mount", "--bind", str(file), str(file)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("Only root may mount a file.")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(file)], check=True)


def fill(folder: Path) -> None:
    """Leave no room on the disk of `folder`."""
    with suppress(OSError), (folder / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@contextmanager
def read_only() -> Iterator[None]:
    """A database that takes no changes."""
    if IS_POSTGRESQL:
        with connected(options="-c default_transaction_read_only=on"):
            yield
    else:
        with connected(init_command="PRAGMA query_only = on"):
            yield


@contextmanager
def full() -> Iterator[None]:
    """An SQLite file on a disk that is full."""
    with small_disk(32 * 1024 * 1024) as folder:
        copy = folder / "tests.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(copy)])
        with connected({"NAME": str(copy)}):
            fill(folder)
            yield


@contextmanager
def locked() -> Iterator[None]:
    """A database in which somebody else keeps locked what is to be written: SQLite's whole file, PostgreSQL's probe."""
    if IS_POSTGRESQL:
        with _beside() as other, other.transaction():
            other.execute("LOCK TABLE metrics_probe")
            yield
        return
    with connected(timeout=0.1), closing(sqlite3.connect(connection.settings_dict["NAME"])) as file:
        file.isolation_level = None
        file.execute("BEGIN IMMEDIATE")
        yield


def _beside() -> "psycopg.Connection[Any]":
    """A connection that no pool knows."""
    parameters = connection.get_connection_params()
    parameters = {name: parameters[name] for name in ("dbname", "user", "host", "port") if name in parameters}
    return psycopg.connect(**parameters, autocommit=True)


def kill_connections() -> None:
    """Have PostgreSQL end every connection to our database but the one that asks, as a restart or a failover does.

    It waits until they are ended.
    """
    with _beside() as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
