"""Fixtures that every folder of tests may use."""

import fcntl
import logging.config
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
import structlog
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, get_connection
from django.test import override_settings
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings

from dashboard_project import static
from metrics.actions import rule_index
from metrics.health import life_signs
from metrics.redis_state import arrived, limits
from metrics.sources import plugin_process
from tests import caches, flush, loop, migrated

flush.install()
# Else it is the standard error of the moment, which pytest closes; and again whenever a test sets Django up.
settings.LOGGING["handlers"]["console"]["stream"] = open(os.devnull, "w")  # noqa: SIM115
logging.config.dictConfig(settings.LOGGING)
structlog.configure(cache_logger_on_first_use=False)  # a cached logger writes past `structlog.testing.capture_logs`
# How long an example takes is a matter of the machine.
EXAMPLES = {"postgresql": 20, "sqlite": 5}
"""On SQLite the same is tried once more: what the databases do differently, and not what there is to find at all."""
hypothesis_settings.register_profile("tests", deadline=None, max_examples=EXAMPLES[connection.vendor])
hypothesis_settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def _quick() -> Iterator[None]:
    """Hashing slowly is for attackers, and every client of a test would read all static files when it is made."""
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], WHITENOISE_AUTOREFRESH=True
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_signs() -> None:
    """A thread that gives signs of life would write into the Redis of whichever test runs."""
    life_signs._thread = threading.main_thread()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_blocker: DjangoDbBlocker, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """pytest-django would have each worker migrate a database of its own."""
    with django_db_blocker.unblock():
        migrated.copy()


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """The file that was copied is there before Django makes one."""
    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.fixture(scope="session", autouse=True)
def _collected_static_files() -> None:
    """Templates name static files by their hashes, which collecting computes; once for all workers."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        static.collect()


@pytest.fixture(autouse=True)
def _empty_caches() -> None:
    caches.forget()


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count everything in the minute that the test began in, even if the next one comes."""
    spend, began = limits.spend, time.time()
    monkeypatch.setattr(limits, "spend", lambda holder, amount, most, _: spend(holder, amount, most, began))


@pytest.fixture(autouse=True)
def _commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run on-commit hooks when the code under test commits, though Django's tests are transactions too."""
    leave, on_commit = Atomic.__exit__, BaseDatabaseWrapper.on_commit

    def committed(connection: Any) -> None:
        if connection.run_on_commit and all(block._from_testcase for block in connection.atomic_blocks):
            waiting, connection.run_on_commit = connection.run_on_commit, []
            for _, done, _ in waiting:
                done()

    def exit_(block: Any, *raised: Any) -> None:
        leave(block, *raised)
        committed(get_connection(block.using))

    def register(connection: Any, *given: Any, **named: Any) -> None:
        on_commit(connection, *given, **named)
        committed(connection)

    monkeypatch.setattr(Atomic, "__exit__", exit_)
    monkeypatch.setattr(BaseDatabaseWrapper, "on_commit", register)


OPEN_LOOPS = ("tests/live/", "tests/redis_state/", "tests/health/")
"""Folders whose tests open connections on an event loop."""


@pytest.fixture
async def _closed() -> AsyncIterator[None]:
    yield
    await loop.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Close what tests with an event loop opened on it."""
    for item in items:
        if item.get_closest_marker("asyncio") and item.nodeid.startswith(OPEN_LOOPS):
            item.add_marker(pytest.mark.usefixtures("_closed"))


@pytest.fixture
def redis() -> Iterator["redis_client.Redis"]:
    """A client of the tests' Redis, emptied before and after."""
    with redis_client.Redis.from_url(settings.REDIS_URL, driver_info=None) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def rules_at_once(redis: "redis_client.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for the rules each time, send no task, and let nothing be missing."""
    arrived.looked_back()
    monkeypatch.setattr(rule_index, "CACHED_S", -1.0)
    monkeypatch.setattr(rule_index, "ACCESS_CACHED_S", -1.0)
    monkeypatch.setattr(arrived, "wake", lambda: None)


@pytest.fixture
def plugins_dir(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """An empty PLUGINS_DIR; what ran out of it is ended at the end."""
    settings.PLUGINS_DIR = tmp_path / "plugins"
    settings.PLUGINS_DIR.mkdir(mode=0o755)
    yield settings.PLUGINS_DIR
    plugin_process.end_all()
