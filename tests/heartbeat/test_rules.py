"""Changes by pings, and when a job that does not ping is late and down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.heartbeat import RUNS_MOST, Condition, Ping, Signal, State, ends, judged, pinged, signal_of
from metrics.schedule import Schedule
from tests.make import AT

HOURLY = Schedule(every_s=3600)
GRACE_S = 300.0
NEW = Condition(State.NEW)


def after(*pings: tuple[float, Signal] | tuple[float, Signal, str], before: Condition = NEW) -> Condition:
    """Return the condition after pings given as seconds from AT, signal, and perhaps a run."""
    for at, signal, *run in pings:
        before = pinged(before, Ping(AT + at, signal, run="".join(run)), HOURLY, GRACE_S)
    return before


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.UP), (3659, State.UP), (3660, State.LATE), (3899, State.LATE), (3900, State.DOWN), (1e7, State.DOWN)],
)
def test_a_job_is_late_when_it_is_due_and_down_after_the_grace(seconds: float, state: State) -> None:
    assert judged(after((0, Signal.SUCCESS)), AT + seconds) is state


def test_cron_says_when_the_next_ping_is_due() -> None:
    nightly = Schedule(cron="0 3 * * *")
    condition = pinged(NEW, Ping(AT, Signal.SUCCESS), nightly, GRACE_S)  # at noon
    assert condition.late_at == AT + 15 * 3600 + 60
    assert condition.down_at == AT + 15 * 3600 + GRACE_S


NOON = AT


@pytest.mark.parametrize(
    ("cron", "offset_s", "due_s", "tolerance_s"),
    [
        ("0 12 * * *", -61, 0, 60),  # too early to be the one for noon
        ("0 12 * * *", -60, 86_400, 60),
        ("0 12 * * *", -1.5, 86_400, 60),
        ("0 12 * * *", 0, 86_400, 60),
        ("0 12 * * *", 59, 86_400, 60),
        ("*/5 * * * *", -31, 0, 30),
        ("*/5 * * * *", -30, 300, 30),
        ("* * * * *", -6.5, 0, 6),
        ("* * * * *", -1.5, 60, 6),
        ("0 0 31 DEC *", -1.5, (31 + 9) * 86_400 + 43_200, 60),
    ],
)
def test_a_ping_a_little_early_is_the_one_for_that_time(
    cron: str, offset_s: float, due_s: float, tolerance_s: float
) -> None:
    late_at, down_at = ends(NOON + offset_s, Schedule(cron=cron), GRACE_S)
    assert late_at - NOON == due_s + tolerance_s
    assert down_at - NOON == due_s + GRACE_S


@given(st.floats(-1, 1), st.lists(st.floats(-1, 1), min_size=1, max_size=5))
def test_a_job_whose_clock_is_a_little_off_is_never_late(first: float, misses: list[float]) -> None:
    nightly, condition = Schedule(cron="0 12 * * *"), NEW
    for day, miss in enumerate([first, *misses]):
        at = NOON + 86_400 * day + 59 * miss
        assert judged(condition, at) in (State.NEW, State.UP)
        condition = pinged(condition, Ping(at, Signal.SUCCESS), nightly, GRACE_S)
    assert judged(condition, NOON + 86_400 * (len(misses) + 1) + GRACE_S) is State.DOWN


def test_the_grace_is_never_over_before_it_is_late() -> None:
    assert ends(NOON, HOURLY, 0) == (NOON + 3660, NOON + 3660)


def test_what_never_pinged_is_nothing_yet() -> None:
    assert judged(NEW, AT + 1e9) is State.NEW


def test_a_failure_is_down_at_once_and_a_success_up_again() -> None:
    failed = after((0, Signal.SUCCESS), (10, Signal.FAIL))
    assert judged(failed, AT + 10) is State.DOWN
    assert after((20, Signal.SUCCESS), before=failed).state is State.UP


def test_a_paused_one_is_not_late_until_it_pings_again() -> None:
    assert judged(Condition(State.PAUSED), AT + 1e9) is State.PAUSED
    assert after((0, Signal.SUCCESS), before=Condition(State.PAUSED)).state is State.UP


class TestRuns:
    def test_the_duration_is_from_the_start_to_the_end(self) -> None:
        assert after((0, Signal.START), (42, Signal.SUCCESS)).duration_s == 42
        assert after((0, Signal.START), (42, Signal.FAIL)).duration_s == 42

    def test_without_a_start_there_is_none(self) -> None:
        assert after((0, Signal.START), (42, Signal.SUCCESS), (50, Signal.SUCCESS)).duration_s is None

    def test_runs_that_overlap_are_told_apart(self) -> None:
        started = after((0, Signal.START, "a"), (10, Signal.START, "b"))
        first = after((30, Signal.SUCCESS, "b"), before=started)
        assert (first.duration_s, dict(first.starts)) == (20, {"a": AT})
        assert after((31, Signal.SUCCESS, "a"), before=first).duration_s == 31

    def test_a_run_that_does_not_end_is_down_after_the_grace(self) -> None:
        started = after((0, Signal.SUCCESS), (100, Signal.START))
        assert judged(started, AT + 399) is State.UP
        assert judged(started, AT + 400) is State.DOWN
        assert judged(after((0, Signal.START)), AT + 300) is State.DOWN

    def test_a_run_that_began_in_time_is_not_late_while_it_may_go_on(self) -> None:
        started = after((0, Signal.SUCCESS), (3600, Signal.START))
        assert judged(started, AT + 3899) is State.UP
        assert judged(started, AT + 3900) is State.DOWN
        crashed_before = after((0, Signal.START, "a"), (10, Signal.SUCCESS, "b"))
        assert judged(crashed_before, AT + 10 + 3660) is State.LATE

    def test_starting_again_and_again_does_not_hide_that_nothing_ends(self) -> None:
        crashing = after((0, Signal.SUCCESS), *((at, Signal.START) for at in range(3600, 4200, 60)))
        assert judged(crashing, AT + 3960) is State.DOWN

    def test_a_job_that_only_ever_starts_is_remembered_in_bounds(self) -> None:
        starts = after(*((at, Signal.START, f"run {at}") for at in range(100))).starts
        assert list(starts) == [f"run {at}" for at in range(100 - RUNS_MOST, 100)]

    def test_a_clock_that_went_back_makes_no_negative_duration(self) -> None:
        assert after((10, Signal.START), (0, Signal.SUCCESS)).duration_s == 0


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.sampled_from(Signal), st.sampled_from(["", "a", "b"])), min_size=1, max_size=30
    )
)
def test_whatever_comes_silence_ends_in_down(pings: list[tuple[float, Signal, str]]) -> None:
    condition = after(*sorted(pings))
    assert judged(condition, AT + 1e6 + 3600 + GRACE_S) is State.DOWN


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("", (Signal.SUCCESS, None)),
        ("start", (Signal.START, None)),
        ("fail", (Signal.FAIL, None)),
        ("0", (Signal.SUCCESS, 0)),
        ("1", (Signal.FAIL, 1)),
        ("255", (Signal.FAIL, 255)),
        ("256", None),
        ("-1", None),
        ("٣", None),
        ("success!", None),
    ],
)
def test_the_last_part_of_the_path_is_a_signal(word: str, expected: tuple[Signal, int | None] | None) -> None:
    assert signal_of(word) == expected
