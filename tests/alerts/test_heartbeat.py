"""Heartbeats that are late, or down."""

import pytest

from metrics.heartbeat import LEVELS, State
from tests.alerts import make

LEVELS_OF = [LEVELS[state] for state in (State.UP, State.LATE, State.DOWN)]


@pytest.mark.parametrize(("when", "expected"), [("late", [False, True, True]), ("down", [False, False, True])])
def test_which_states_are_bad(when: str, expected: list[bool]) -> None:
    assert make.bad("heartbeat", LEVELS_OF, when=when) == expected
