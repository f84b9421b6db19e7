"""The order of widgets on phones."""

import pytest

from metrics.widgets.column import ORDER_MOST, orders


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ([], []),
        ([0, 1, 2], [0, 0, 0]),
        ([2, 0, 1], [-1, 0, 0]),
        ([1, 2, 0], [0, 0, 1]),
    ],
)
def test_one_number_does_for_each_run(places: list[int], found: list[int]) -> None:
    assert orders(places) == found


@pytest.mark.parametrize("count", [101, 102, 150, 201])
@pytest.mark.parametrize("last", [[], [1000, 1001]])
def test_as_many_as_there_are_orders_keep_their_sequence(count: int, last: list[int]) -> None:
    places = [*range(count - bool(last), 0, -1), *last]
    found = orders(places)
    assert max(map(abs, found)) <= ORDER_MOST
    assert sorted(range(len(places)), key=lambda index: (found[index], places[index])) == list(range(len(places)))
