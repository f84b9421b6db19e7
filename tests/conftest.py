"""Fixtures that every folder of tests may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client
from django.conf import settings
from django.core.management import call_command

from metrics.series import known, remembered
from tests.integration.stack import Stack


@pytest.fixture(scope="session", autouse=True)
def _collected_static_files() -> None:
    """Templates name static files by their hashes, which collecting computes."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What was read in another test is of another database, though ids may be the same."""
    remembered.forget()
    known.forget()


@pytest.fixture
def redis() -> Iterator["redis_client.Redis"]:
    """A client of the tests' Redis, emptied before and after."""
    with redis_client.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The whole system, started as `make run` does, on data of its own."""
    with Stack() as running:
        yield running
