"""States of alerts, as scenarios: samples go in, changes come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.alerts.machine import Change, Standing, State, Timing, fold

OK, PENDING, FIRING, RECOVERING, NODATA = State
BAD, CLEAR = 90.0, 80.0
Samples = list[tuple[float, float]]


def is_bad(value: float, was_bad: bool) -> bool:
    return value > (CLEAR if was_bad else BAD)


def told(samples: Samples, until: float, timing: Timing) -> list[tuple[State, float]]:
    _, changes = fold(Standing(), samples, until, is_bad, timing)
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


def test_each_change_goes_on_from_the_one_before_with_the_value_that_held() -> None:
    _, changes = fold(Standing(), [(0, 95.0), (61, 50.0)], 91, is_bad, LONG)
    assert changes == [
        Change(OK, PENDING, 0, 95.0),
        Change(PENDING, FIRING, 60, 95.0),
        Change(FIRING, RECOVERING, 61, 50.0),
        Change(RECOVERING, OK, 91, 50.0),
    ]


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
    whole = fold(Standing(), samples, 700, is_bad, timing)
    first, before = fold(Standing(), samples[:cut], max([0.0, *(at for at, _ in samples[:cut])]), is_bad, timing)
    last, after = fold(first, samples[cut:], 700, is_bad, timing)
    assert last == whole[0]
    assert [(one.after, one.at) for one in before + after] == [(one.after, one.at) for one in whole[1]]
