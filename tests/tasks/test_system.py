"""Steps of a tick: one that fails keeps no other from being done, and an outage is not its fault."""

from collections.abc import Callable

import pytest
from django.db import DataError, IntegrityError, OperationalError
from redis import RedisError
from structlog.testing import capture_logs

from tasks import system


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (ValueError("odd"), False),
        (DataError("out of range"), False),
        (IntegrityError("no JSON"), False),
        (OperationalError("the server closed the connection"), True),
        (RedisError("away"), True),
        (TimeoutError(), True),
    ],
)
def test_a_step_that_fails_is_logged_and_an_outage_raised(error: Exception, is_outage: bool) -> None:
    done: list[float] = []

    def step(_: float) -> None:
        raise error

    if is_outage:
        with pytest.raises(type(error)):
            system._all_done((step, done.append), 7)
    else:
        assert system._all_done((step, done.append), 7) is False
    assert done == [7]


TICK = ("start_due", "fetch_pictures", "sweep", "follow_alerts")


@pytest.mark.parametrize("odd", [*TICK, "deliveries"])
def test_a_part_of_the_tick_that_fails_keeps_no_other_from_being_done(
    odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def part(name: str) -> Callable[[], None]:
        def run() -> None:
            done.append(name)
            if name == odd:
                raise ValueError("odd")

        return run

    for name in TICK:
        monkeypatch.setattr(system, name, part(name))
    monkeypatch.setattr("tasks.deliveries.start_due", part("deliveries"))
    with capture_logs() as logs:
        system.tick()
    assert done == [*TICK, "deliveries"]
    assert [one["event"] for one in logs] == ["a part of the tick failed"]


@pytest.mark.parametrize(
    ("task", "steps"),
    [
        ("look_at_series", ("evaluation.look", "announcements.release", "arrivals.look")),
        ("heartbeats", ("heartbeats_.evaluate", "heartbeats_.report", "down.look")),
    ],
)
@pytest.mark.parametrize("error", [ValueError("odd"), OperationalError("database is locked")])
def test_a_step_that_fails_keeps_the_next_from_nothing(
    task: str, steps: tuple[str, ...], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[float] = []

    def first(_: float) -> None:
        raise error

    for name, step in zip(steps, (first, *[done.append] * (len(steps) - 1)), strict=True):
        monkeypatch.setattr(f"tasks.system.{name}", step)
    getattr(system, task)()
    assert len(done) == len(steps) - 1
