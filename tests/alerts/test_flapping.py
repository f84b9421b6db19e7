"""Flapping: which changes are it, when it begins, and when it ends."""

import pytest

from metrics.alerts.flapping import count, flaps, share

AT = 100_000.0


def every(minutes: float, most: int = 99) -> list[float]:
    """Return times of changes, so many minutes apart, the newest just now."""
    return [AT - 60 * minutes * number for number in range(most) if 60 * minutes * number < 3600]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([], 0.0),
        (every(1), 1.0),
        ([AT], 0.0625),
        ([AT - 19 * 60], 0.0375),
        ([AT - 20 * 60], 0.0),
        ([AT - 1, AT - 2, AT - 59], 0.0625),
        ([AT + 1], 0.0),
    ],
)
def test_the_newest_changes_weigh_most(changes: list[float], found: float) -> None:
    assert share(changes, AT) == pytest.approx(found)


@pytest.mark.parametrize(
    ("changes", "severity", "begins", "goes_on"),
    [
        (every(1), "critical", True, True),
        (every(2), "critical", True, True),
        (every(3), "critical", False, True),
        (every(3), "warning", True, True),
        (every(5), "warning", False, True),
        (every(5), "info", False, True),
        (every(4), "info", True, True),
        (every(10), "info", False, False),
        (every(1, 3), "warning", False, False),
        ([], "info", False, False),
    ],
)
def test_it_begins_and_ends(changes: list[float], severity: str, begins: bool, goes_on: bool) -> None:
    assert flaps(changes, AT, severity, already=False) is begins
    assert flaps(changes, AT, severity, already=True) is goes_on


def test_changes_are_counted_as_far_as_they_are_looked_at() -> None:
    assert count([AT, AT - 1, AT - 1199, AT - 1200, AT + 1], AT) == 3
