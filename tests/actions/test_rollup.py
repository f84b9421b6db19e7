"""Keeping history small: one at a time, and the next run goes on where the last one ended."""

import pytest
from redis import Redis

from metrics.actions import rollup
from metrics.models import MinuteRollup
from metrics.redis_state.connection import KEY
from metrics.sample import Sample
from metrics.series.write import write
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_what_is_due_is_done() -> None:
    assert rollup.keep(AT)
    write([Sample("m", 1, {}, AT)], None, AT)
    assert rollup.keep(AT + 400)
    assert MinuteRollup.objects.get().count == 1


def test_one_at_a_time(redis: Redis) -> None:
    redis.set(f"{KEY}rolling", "somebody else")
    assert not rollup.keep(AT)
    redis.delete(f"{KEY}rolling")
    assert rollup.keep(AT)


def test_it_ends_when_its_time_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    rollup.keep(AT)
    write([Sample("m", 1, {}, AT)], None, AT)
    monkeypatch.setattr(rollup, "SPENDS_S", 0.0)
    rollup.keep(AT + 400)
    assert not MinuteRollup.objects.exists()
