"""Beat and a wall clock that is set: it goes on, and says so once."""

import time
from datetime import datetime

import pytest
from redis import Redis, RedisError
from structlog.testing import capture_logs

from dashboard_project import clock
from dashboard_project.celery import Beat, app
from dashboard_project.clock import SteadyClock
from metrics.health import store as health
from tests.make import AT


class Clocks:
    """A wall clock that can be set, and a monotonic one; both go on together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.ticks = AT, 100.0
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(time, "monotonic", lambda: self.ticks)
        outer = self

        class Now(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(outer.wall, tz)  # type: ignore[arg-type]

        monkeypatch.setattr(clock, "datetime", Now)

    def advance(self, seconds: float, step_s: float = 0.0) -> None:
        self.wall += seconds + step_s
        self.ticks += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.mark.parametrize("step_s", [-3600, -30, 30, 3600])
def test_beat_sends_a_tick_each_second_whatever_the_clock_is_set_to(
    clocks: Clocks, redis: Redis, step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    told: list[list[float]] = []
    monkeypatch.setattr(Beat, "apply_entry", lambda self, entry, producer=None: sent.append(entry.name))
    monkeypatch.setattr(app, "send_task", lambda name, args, expires: told.append(args))
    beat = Beat(app=app)
    counts = []
    for second in range(8):
        clocks.advance(1.001, step_s if second == 4 else 0)
        while beat.tick() == 0:
            pass
        counts.append(sent.count("tick"))
    assert counts == list(range(1, 9)), "no pause, and no burst"
    assert (health.set_back() is not None) == (step_s < 0)
    ((before, after),) = told
    assert after - before == pytest.approx(step_s)
    assert after == pytest.approx(AT + step_s, abs=8)


def test_a_step_while_redis_is_away_is_told_when_it_is_back(
    clocks: Clocks, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept has its clock before its network."""
    told: list[list[float]] = []

    def send(name: str, args: list[float], expires: float) -> None:
        if clocks.ticks < 104:
            raise RedisError("away")
        told.append(args)

    monkeypatch.setattr(Beat, "apply_entry", lambda self, entry, producer=None: None)
    monkeypatch.setattr(app, "send_task", send)
    beat = Beat(app=app)
    for second in range(6):
        clocks.advance(1, 3600 if second == 1 else 0)
        beat.tick()
    assert told == [pytest.approx([AT + 2, AT + 3602])]


@pytest.mark.parametrize(("step_s", "lines"), [(-3600, [-3600]), (-30, [-30]), (30, [30]), (1.5, []), (0, [])])
def test_a_step_is_logged_once(clocks: Clocks, step_s: float, lines: list[float]) -> None:
    steady = SteadyClock()
    with capture_logs() as logs:
        for second in range(5):
            clocks.advance(1, step_s if second == 2 else 0)
            steady.note_step()
    assert [one["by_s"] for one in logs] == lines
    assert steady.now().timestamp() == AT + 5
