"""Periods as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.every import seconds


@pytest.mark.parametrize(
    ("period", "length_s"),
    [("10s", 10), ("5m", 300), ("1h", 3600), ("1d", 86_400), ("1h30m", 5400), (" 90s ", 90), ("0h1m", 60)],
)
def test_a_period_is_so_many_seconds(period: str, length_s: int) -> None:
    assert seconds(period) == length_s


@pytest.mark.parametrize("period", ["", "0s", "10", "s", "10 s", "1.5h", "-5s", "10S", "1w", "1h-5m", "9" * 20 + "s"])
def test_what_is_none_is_named(period: str) -> None:
    with pytest.raises(ValueError, match=r"is not a period such as 10s, 5m, 1h30m or 1d\.$"):
        seconds(period)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_parts_add_up(hours: int, minutes: int, rest_s: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest_s}s") == hours * 3600 + minutes * 60 + rest_s
