"""Walls that went dark."""

import pytest
from pydantic import ValidationError

from metrics.alerts.registry import kinds
from tests.alerts import make


def test_it_is_bad_after_so_long_until_a_wall_shows_it_again() -> None:
    assert make.bad("dark", [0, 299, 300, 9000]) == [False, False, True, True]
    dark, given = kinds()["dark"], make.config("dark", after="10m")
    assert [dark.is_bad(given, value, True) for value in (0, 60, 600)] == [False, True, True]


@pytest.mark.parametrize("after", ["1m", "0s", "soon", "31d"])
def test_which_periods_are_refused(after: str) -> None:
    with pytest.raises(ValidationError):
        make.config("dark", after=after)
