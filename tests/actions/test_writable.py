"""Whether the database takes what is pushed: tried with real ones that are well, read-only, locked and full."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from django.db import connection

from metrics.actions import writable
from metrics.actions.writable import Writable
from metrics.database import BUSY, FULL, READ_ONLY
from metrics.models import Probe
from tests import trouble
from tests.postgresql import postgresql

pytestmark = pytest.mark.django_db(transaction=True)

Trouble = Callable[[], AbstractContextManager[None]]
WAYS = [(trouble.read_only, READ_ONLY), (trouble.locked, BUSY)]
if not trouble.IS_POSTGRESQL:
    WAYS += [(trouble.full, FULL)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writable, "WAITS_S", 0.1)


def test_one_that_is_well_is_written() -> None:
    began = datetime.now(UTC)
    assert [writable.attempt() for _ in range(2)] == ["", ""]
    assert Probe.objects.get().at >= began


@pytest.mark.parametrize(("way", "said"), WAYS)
def test_trouble_is_named_and_passes(way: Trouble, said: str) -> None:
    with way():
        assert writable.attempt() == said
    assert writable.attempt() == ""


def test_what_was_tried_counts_for_two_seconds_however_many_ask() -> None:
    asked = Writable()
    assert asked.trouble(10.0) == ""
    with trouble.read_only():
        assert [asked.trouble(at) for at in (10.5, 11.9, 12.1)] == ["", "", READ_ONLY]
    assert [asked.trouble(at) for at in (12.2, 14.2)] == [READ_ONLY, ""]


def test_waiting_is_over_in_time_and_the_next_waits_as_usual() -> None:
    setting = "SHOW lock_timeout" if trouble.IS_POSTGRESQL else "PRAGMA busy_timeout"
    with trouble.locked(), connection.cursor() as cursor:
        usual = cursor.execute(setting).fetchone()
        assert writable.attempt() == BUSY
        assert cursor.execute(setting).fetchone() == usual


@pytest.mark.skipif(not trouble.IS_POSTGRESQL, reason="it is PostgreSQL's")
def test_a_full_disk_is_noticed_though_the_probe_itself_would_fit() -> None:
    with trouble.small_disk(128 * 1024 * 1024) as folder, postgresql(folder) as server:
        server.run("CREATE TABLE metrics_probe (id smallint PRIMARY KEY, at timestamptz)")
        with trouble.connected(server.place):
            assert [writable.attempt() for _ in range(2)] == ["", ""]
            trouble.fill(folder)
            assert writable.attempt() == FULL


@pytest.mark.skipif(trouble.IS_POSTGRESQL, reason="PostgreSQL's disk is its own")
def test_an_sqlite_file_needs_room_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writable, "FREE_LEAST_BYTES", 2**62)
    assert writable.attempt() == FULL
