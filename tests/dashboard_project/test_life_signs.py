"""Signs of life of a process: its worker's and that of its beat go together, and each tells of itself alone."""

import pytest
from redis import Redis

from dashboard_project import life_signs
from metrics.health import standstill
from metrics.health import store as health
from metrics.health.store import LifeSign, Sign

AT = 1_795_176_000.0


@pytest.fixture(autouse=True)
def _of_another_process(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> None:
    monkeypatch.setattr(life_signs, "_workers", [])
    monkeypatch.setattr(life_signs, "_noted", {})


def test_beat_that_hangs_gives_no_newer_sign_though_its_worker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life_signs, "_workers", [LifeSign("render")])
    life_signs.note(LifeSign("beat"), AT, 100)
    for second in range(3):
        life_signs.give(standstill.Watch(), AT + second, 100 + second)
    assert health.signs() == {"beat": Sign(AT), "render": Sign(AT + 2, 2)}


def test_beat_may_be_a_process_by_itself() -> None:
    beat = LifeSign("beat")
    life_signs.give(standstill.Watch(), AT, 100)
    assert health.signs() == {}
    for second in range(2):
        life_signs.note(beat, AT + second, 100 + second)
        life_signs.give(standstill.Watch(), AT + second, 100 + second)
    assert health.signs() == {"beat": Sign(AT + 1, 1)}
