"""Which part of the system stands still, by the signs of life: all combinations, and what steps of clocks change."""

import math
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from metrics.health.ages import Ages
from metrics.health.standstill import Part, PartStatus, State, Watch, first, judge
from metrics.health.store import SIGNS, Sign
from tests.make import AT

UP = {"beat": 500.0, "render": 500.0, "collect": 500.0}


def judged(running_s: Mapping[str, float] = UP, **ages: float) -> dict[Part, PartStatus]:
    """Judge signs that are half a second old, but for those whose age is given; of other processes there is none."""
    signs = {name: Sign(AT, running_s.get(name, 0)) for name in SIGNS if name in running_s or name not in UP}
    return judge(signs, dict.fromkeys(SIGNS, 0.5) | ages)


@pytest.mark.parametrize(
    ("ages", "named", "state"),
    [
        ({}, None, None),
        ({"beat": 9.9, "render": 9.9, "collect": 9.9, "sweep": 14.9, "database": 9.9, "collecting": 14.9}, None, None),
        ({"beat": 10}, Part.BEAT, State.SILENT),
        ({"render": 10}, Part.RENDER, State.SILENT),
        ({"collect": 10}, Part.COLLECT, State.SILENT),
        ({"database": 10}, Part.DATABASE, State.SILENT),
        ({"sweep": 15}, Part.RENDER, State.BUSY),
        ({"collecting": 15}, Part.COLLECT, State.BUSY),
        # without beat no task is sent, so those that show more tell nothing
        ({"beat": 60, "sweep": 60, "database": 60, "collecting": 60}, Part.BEAT, State.SILENT),
        ({"render": 60, "sweep": 60, "database": 60}, Part.RENDER, State.SILENT),
        # those that stop together gave their last signs up to three seconds apart
        ({"beat": 10.9, "render": 9.9, "sweep": 10.9, "database": 10.9}, None, None),
        ({"beat": 9.9, "render": 9.9, "sweep": 10.9, "database": 10.9}, None, None),
        ({"beat": 9.9, "render": 9.9, "collect": 10.9}, None, None),
        ({"beat": 10.9, "render": 10, "collect": 11}, Part.RENDER, State.SILENT),
        ({"beat": 11.9, "render": 7.9}, None, None),
        ({"beat": 12.9, "render": 6.9}, Part.BEAT, State.SILENT),
        # of several, the one without which the others can't be told
        ({"beat": 60, "render": 60}, Part.RENDER, State.SILENT),
        ({"beat": 60, "collect": 60}, Part.BEAT, State.SILENT),
        ({"render": 60, "collect": 60}, Part.RENDER, State.SILENT),
        ({"beat": 60, "render": 60, "collect": 60}, Part.RENDER, State.SILENT),
        ({"database": 60, "collect": 60}, Part.DATABASE, State.SILENT),
        ({"database": 60, "sweep": 60}, Part.RENDER, State.BUSY),
        ({"beat": math.inf}, Part.BEAT, State.SILENT),
    ],
)
def test_the_first_cause_is_named(ages: dict[str, float], named: Part | None, state: State | None) -> None:
    found = judged(UP, **ages)
    assert first(found) == named
    assert named is None or found[named].state == state


@pytest.mark.parametrize("back", ["beat", "render", "collect"])
def test_what_is_back_does_not_put_the_blame_on_what_waited_for_it(back: str) -> None:
    """Its tasks could not give signs while it was gone: they have as long as if they began now."""
    found = judged({**UP, back: 1.0}, sweep=60, database=60, collecting=60 if back != "render" else 0.5)
    blamed = {part for part, status in found.items() if status.state in (State.SILENT, State.BUSY)}
    assert blamed == ({Part.RENDER} if back == "collect" else set())


def test_a_process_that_never_came_is_missed_after_a_minute() -> None:
    only = {"beat": 59.0, "render": 59.0}
    assert judged(only, collect=math.inf)[Part.COLLECT] == PartStatus(State.UNSEEN)
    assert judged({"beat": 61.0, "render": 61.0}, collect=math.inf)[Part.COLLECT] == PartStatus(State.SILENT, 61)


def test_before_anything_ran_nothing_stands_still() -> None:
    assert first(judge({}, dict.fromkeys(SIGNS, math.inf))) is None


def test_a_redis_that_came_back_empty_blames_nobody() -> None:
    assert first(judge({"beat": Sign(AT, 500)}, dict.fromkeys(SIGNS, 1.0))) is None


@pytest.mark.usefixtures("redis")
def test_that_a_part_stands_still_is_logged_once_and_so_is_its_end() -> None:
    watch = Watch()
    with capture_logs() as logs:
        for ages in ({}, {"collect": 20}, {"collect": 21}, {"collect": 22, "render": 10}, {"render": 11}, {}, {}):
            watch.log_change(judged(UP, **ages))
    assert [(one["event"], one["part"]) for one in logs] == [
        ("a part of the system stands still", "collect"),
        ("a part of the system stands still", "render"),
        ("it goes on again", "render"),
    ]


class TestAges:
    def test_the_wall_clock_tells_at_first_and_the_monotonic_one_from_then_on(self) -> None:
        ages = Ages()
        assert ages.age_s("beat", AT, AT + 4, 100) == 4
        assert ages.age_s("beat", AT, AT + 4, 107) == 11

    @pytest.mark.parametrize("step_s", [-3600, -30, 30, 3600])
    def test_a_step_makes_nothing_old_that_is_renewed(self, step_s: float) -> None:
        ages = Ages()
        wall = 0.0
        for second in range(20):
            wall = AT + second + (step_s if second >= 10 else 0)
            written = AT + second - 0.5 + (step_s if second >= 11 else 0)  # just before the step, at first
            assert ages.age_s("beat", written, wall, second) <= 1.0
        assert wall == AT + 19 + step_s

    @pytest.mark.parametrize("step_s", [-3600, -30, 30, 3600])
    def test_what_is_frozen_grows_old_whatever_the_clock_does(self, step_s: float) -> None:
        ages = Ages()
        found = [ages.age_s("beat", AT, AT + second + (step_s if second > 5 else 0), second) for second in range(20)]
        assert found == list(range(20))

    @pytest.mark.parametrize("ahead_s", [5.1, 3600])
    def test_a_record_of_the_future_that_was_never_seen_tells_nothing(self, ahead_s: float) -> None:
        assert Ages().age_s("beat", AT + ahead_s, AT, 100) == math.inf

    @pytest.mark.parametrize("ahead_s", [0.01, 1, 5])
    def test_one_that_was_made_while_it_was_looked_for_is_new_and_grows_old(self, ahead_s: float) -> None:
        ages = Ages()
        assert ages.age_s("beat", AT + ahead_s, AT, 100) == 0
        assert ages.age_s("beat", AT + ahead_s, AT + 12, 112) == 12

    def test_one_that_is_renewed_by_a_clock_that_is_ahead_is_as_old_as_the_last_look_at_most(self) -> None:
        ages = Ages()
        ages.age_s("beat", AT + 3600, AT, 100)
        assert ages.age_s("beat", AT + 3602, AT + 2, 102) == 2

    def test_what_is_missing_is_missed_since_it_was_seen_last(self) -> None:
        ages = Ages()
        assert ages.age_s("sweep", None, AT, 100) == math.inf
        ages.age_s("sweep", AT, AT, 101)
        assert ages.age_s("sweep", None, AT + 2, 103) == 2
        assert ages.age_s("sweep", None, AT + 3, 104) == 3
