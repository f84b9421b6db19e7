"""The order of widgets on phones, where they stand in one column."""

from collections.abc import Sequence
from typing import Any

ORDER_MOST = 100
"""Orders are from -100 to 100; the stylesheet has these."""


def orders(places: Sequence[Any]) -> list[int]:
    """Return the order that each of `places` gets so that they stand in this sequence: 0 for as many as possible.

    A place compares as rows do. Within an order they stand as their rows do, so one number does for each run of them
    that does. Places beyond the last order share it.
    """
    runs: list[list[Any]] = []
    for place in places:
        if runs and runs[-1][-1] < place:
            runs[-1].append(place)
        else:
            runs.append([place])
    longest = max(range(len(runs)), key=lambda index: len(runs[index]), default=0)
    zero = max(len(runs) - 1 - ORDER_MOST, min(longest, ORDER_MOST))  # all of them fit
    numbers = (max(-ORDER_MOST, min(ORDER_MOST, index - zero)) for index, run in enumerate(runs) for _ in run)
    return list(numbers)
