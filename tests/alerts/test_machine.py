"""States of alerts, as scenarios: samples go in, changes come out."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.alerts.machine import Cause, Change, State, Status, Timing, fold

OK, PENDING, FIRING, RECOVERING, NODATA = State
BAD, CLEAR = 90.0, 80.0
Samples = list[tuple[float, float]]


def is_bad(value: float, was_bad: bool) -> bool:
    return value > (CLEAR if was_bad else BAD)


def told(samples: Samples, until: float, timing: Timing) -> list[tuple[State, float]]:
    _, changes = fold(Status(), samples, until, is_bad, timing)
    return [(change.after, change.at) for change in changes]


AT_ONCE = Timing()
LONG = Timing(for_s=60, clear_for_s=30)
LAPSES = Timing(lapses_after_s=50)


@pytest.mark.parametrize(
    ("timing", "samples", "until", "expected"),
    [
        pytest.param(AT_ONCE, [(0, 50), (10, 90)], 20, [], id="at the line is not above it"),
        pytest.param(
            AT_ONCE, [(0, 95), (10, 85), (20, 79)], 30, [(FIRING, 0), (OK, 20)], id="clears below its own line"
        ),
        pytest.param(AT_ONCE, [(0, 95), (10, 80)], 30, [(FIRING, 0), (OK, 10)], id="at the clearing line is clear"),
        pytest.param(LONG, [(0, 95), (10, 95)], 59.9, [(PENDING, 0)], id="not yet for long enough"),
        pytest.param(
            LONG, [(0, 95), (10, 95)], 60, [(PENDING, 0), (FIRING, 60)], id="for long enough, without a sample"
        ),
        pytest.param(LONG, [(0, 95), (60, 50)], 99, [(PENDING, 0), (OK, 60)], id="good at the last moment"),
        pytest.param(LONG, [(0, 95), (60, 95)], 60, [(PENDING, 0), (FIRING, 60)], id="bad at that moment"),
        pytest.param(
            LONG, [(0, 95), (200, 95)], 200, [(PENDING, 0), (FIRING, 60)], id="fires when it was to, not when seen"
        ),
        pytest.param(
            LONG, [(0, 95), (61, 50)], 91, [(PENDING, 0), (FIRING, 60), (RECOVERING, 61), (OK, 91)], id="recovers"
        ),
        pytest.param(
            LONG,
            [(0, 95), (61, 50), (80, 85)],
            200,
            [(PENDING, 0), (FIRING, 60), (RECOVERING, 61), (FIRING, 80)],
            id="back before it had recovered",
        ),
        pytest.param(LAPSES, [(0, 50)], 49.9, [], id="the last moment of a value"),
        pytest.param(LAPSES, [(0, 50)], 51, [(NODATA, 50)], id="lapses"),
        pytest.param(LAPSES, [(0, 50), (100, 50)], 100, [(NODATA, 50), (OK, 100)], id="comes back good"),
        pytest.param(
            LAPSES, [(0, 95), (100, 95)], 100, [(FIRING, 0), (NODATA, 50), (FIRING, 100)], id="comes back bad"
        ),
        pytest.param(
            Timing(for_s=60, lapses_after_s=50), [(0, 95)], 500, [(PENDING, 0), (NODATA, 50)], id="lapses while pending"
        ),
        pytest.param(
            Timing(lapses_after_s=50, no_data="ok"), [(0, 95)], 500, [(FIRING, 0), (OK, 50)], id="no data is well"
        ),
        pytest.param(
            Timing(lapses_after_s=50, no_data="keep"), [(0, 95)], 500, [(FIRING, 0)], id="no data changes nothing"
        ),
        pytest.param(LAPSES, [], 500, [], id="what never had a sample does not lapse"),
    ],
)
def test_scenario(timing: Timing, samples: Samples, until: float, expected: list[tuple[State, float]]) -> None:
    assert told(samples, until, timing) == expected


ZURICH = ZoneInfo("Europe/Zurich")
HOUR_LONG = Timing(for_s=3600)


def by_the_clock(*moments: str, zone: ZoneInfo = ZURICH) -> list[float]:
    """Return the Unix seconds of moments as clocks in a zone show them; a * is the second time in the night."""
    return [
        datetime.fromisoformat(moment.rstrip("*")).replace(tzinfo=zone, fold=int(moment.endswith("*"))).timestamp()
        for moment in moments
    ]


@pytest.mark.parametrize(
    ("moments", "after_s"),
    [
        pytest.param(("2026-03-29 01:30", "2026-03-29 03:15"), None, id="clocks go forward: 45 minutes, not 105"),
        pytest.param(("2026-03-29 01:30", "2026-03-29 03:31"), 3600, id="clocks go forward: an hour"),
        pytest.param(("2026-10-25 02:30", "2026-10-25 02:15*"), None, id="clocks go back: 45 minutes, not -15"),
        pytest.param(("2026-10-25 02:30", "2026-10-25 02:31*"), 3600, id="clocks go back: an hour, not a minute"),
        pytest.param(("2028-02-28 23:30", "2028-02-29 00:31"), 3600, id="into a leap day"),
        pytest.param(("2028-02-29 23:30", "2028-03-01 00:31"), 3600, id="out of a leap day"),
        pytest.param(("2027-02-28 23:30", "2027-03-01 00:31"), 3600, id="no leap day"),
        pytest.param(("2027-12-31 23:30", "2028-01-01 00:31"), 3600, id="the end of a year"),
    ],
)
def test_an_hour_is_an_hour_whatever_clocks_show(moments: tuple[str, str], after_s: float | None) -> None:
    begin, end = by_the_clock(*moments)
    expected = [(PENDING, begin)] if after_s is None else [(PENDING, begin), (FIRING, begin + after_s)]
    assert told([(begin, 95), (end, 95)], end, HOUR_LONG) == expected


@pytest.mark.parametrize(
    ("timing", "until", "expected"),
    [
        pytest.param(LONG, -3600, [(PENDING, 0)], id="set back: no timer ends before its time"),
        pytest.param(LONG, 59.9, [(PENDING, 0)], id="and goes on to its end"),
        pytest.param(LONG, 86_400, [(PENDING, 0), (FIRING, 60)], id="set forward: it fired when it was to"),
        pytest.param(LAPSES, -3600, [(FIRING, 0)], id="set back: nothing lapses"),
        pytest.param(LAPSES, 86_400, [(FIRING, 0), (NODATA, 50)], id="set forward: it lapsed when it was to"),
    ],
)
def test_a_clock_that_is_set(timing: Timing, until: float, expected: list[tuple[State, float]]) -> None:
    assert told([(0, 95)], until, timing) == expected


def test_what_nobody_can_judge_leaves_a_state_but_ends_no_data() -> None:
    nan = math.nan
    assert told([(0, 95), (10, nan), (20, nan)], 30, AT_ONCE) == [(FIRING, 0)]
    assert told([(0, 95), (40, nan), (80, nan)], 120, LAPSES) == [(FIRING, 0)], "they came: it does not lapse"
    assert told([(0, 95), (90, nan)], 100, LAPSES) == [(FIRING, 0), (NODATA, 50), (OK, 90)]
    assert told([(0, 95), (50, nan)], 60, LONG) == [(PENDING, 0), (FIRING, 60)]


def test_each_change_goes_on_from_the_one_before_with_the_value_that_held() -> None:
    _, changes = fold(Status(), [(0, 95.0), (61, 50.0)], 91, is_bad, LONG)
    assert changes == [
        Change(OK, PENDING, 0, 95.0),
        Change(PENDING, FIRING, 60, 95.0, Cause.TIMER),
        Change(FIRING, RECOVERING, 61, 50.0),
        Change(RECOVERING, OK, 91, 50.0, Cause.TIMER),
    ]


def test_no_value_holds_in_a_series_that_lapsed() -> None:
    _, changes = fold(Status(), [(0, 95.0), (80, 50.0)], 90, is_bad, LAPSES)
    assert changes == [
        Change(OK, FIRING, 0, 95.0),
        Change(FIRING, NODATA, 50, None, Cause.LAPSED),
        Change(NODATA, OK, 80, 50.0),
    ]


def test_a_timer_ends_though_nobody_knows_when_the_newest_sample_came() -> None:
    timing = Timing(for_s=60, lapses_after_s=50)
    _, changes = fold(Status(PENDING, 0, value=95.0), [(100, 50.0)], 100, is_bad, timing)
    assert changes == [Change(PENDING, FIRING, 60, 95.0, Cause.TIMER), Change(FIRING, OK, 100, 50.0)]


TIMES = st.lists(st.integers(0, 600), unique=True, max_size=30).map(sorted)
VALUES = st.sampled_from([50.0, 80.0, 85.0, 90.0, 95.0])
TIMINGS = st.builds(
    Timing,
    for_s=st.sampled_from([0.0, 30.0, 60.0]),
    clear_for_s=st.sampled_from([0.0, 45.0]),
    lapses_after_s=st.sampled_from([None, 70.0, 20.0]),
    no_data=st.sampled_from(["nodata", "ok", "keep"]),
)


@given(times=TIMES, values=st.lists(VALUES, min_size=30, max_size=30), timing=TIMINGS, cut=st.integers(0, 30))
def test_a_restart_anywhere_changes_nothing(times: list[int], values: list[float], timing: Timing, cut: int) -> None:
    samples = [(float(at), value) for at, value in zip(times, values, strict=False)]
    whole = fold(Status(), samples, 700, is_bad, timing)
    first, before = fold(Status(), samples[:cut], max([0.0, *(at for at, _ in samples[:cut])]), is_bad, timing)
    last, after = fold(first, samples[cut:], 700, is_bad, timing)
    assert last == whole[0]
    assert before + after == whole[1]


@given(
    times=TIMES,
    values=st.lists(VALUES, min_size=30, max_size=30),
    timing=TIMINGS,
    late=st.sets(st.integers(0, 29)),
)
def test_late_samples_give_what_they_would_have_given(
    times: list[int], values: list[float], timing: Timing, late: set[int]
) -> None:
    """Folding anew from before the oldest late one is the same as if none had been late."""
    samples = [(float(at), value) for at, value in zip(times, values, strict=False)]
    first = min((place for place in late if place < len(samples)), default=len(samples))
    before = samples[:first]
    stood, _ = fold(Status(), before, max([0.0, *(at for at, _ in before)]), is_bad, timing)
    in_time = [one for place, one in enumerate(samples) if place not in late]
    fold(Status(), in_time, 700, is_bad, timing)
    assert fold(stood, samples[first:], 700, is_bad, timing)[0] == fold(Status(), samples, 700, is_bad, timing)[0]
