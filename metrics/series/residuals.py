"""Buckets in small whole numbers: each column as its difference from an estimate by the columns before it.

In an hour of a counter, the least value is the first and the greatest is the last: their differences are nought, and
take next to no room when packed.
"""

from collections.abc import Sequence

from metrics.series.vectors import Column, np

WHOLE = frozenset({0, 1, 6, 8})
"""Which columns are whole numbers as they are: times and the count."""
_COUNT, _SUM, _MIN, _MAX, _LAST, _FIRST, _GROWTH = 1, 2, 3, 4, 5, 7, 9
_PLAIN = WHOLE | {_SUM}
"""Columns of which those before them tell nothing."""
_MOST = 2.0**53
"""Beyond it, not every whole number is a float."""


def of(columns: Sequence[Column], decimals: int) -> list[Column] | None:
    """Return the residuals of columns of buckets with so many decimals; None if one is too large or not a number."""
    whole = []
    for place, column in enumerate(columns):
        scaled = column if place in WHOLE else np.round(column * 10.0**decimals)
        if not np.all(np.abs(scaled) < _MOST):
            return None
        whole.append(scaled.astype(np.int64))
    return [column if place in _PLAIN else column - _estimate(place, whole) for place, column in enumerate(whole)]


def restored(residuals: Sequence[Column], decimals: int) -> list[Column]:
    """Return the columns of buckets, or the first few of them, that have these residuals."""
    whole: list[Column] = []
    for place, residual in enumerate(residuals):
        whole.append(residual if place in _PLAIN else residual + _estimate(place, whole))
    return [column if place in WHOLE else column / 10.0**decimals for place, column in enumerate(whole)]


def _estimate(place: int, before: Sequence[Column]) -> Column:
    """Return what the columns `before` the one in this place let expect of it."""
    if place == _MIN:
        return before[_SUM] // before[_COUNT]
    if place == _MAX:  # as far from the mean as the least is
        return 2 * (before[_SUM] // before[_COUNT]) - before[_MIN]
    if place == _LAST:
        return before[_MAX]
    if place == _FIRST:
        return before[_MIN]
    assert place == _GROWTH
    return before[_LAST] - before[_FIRST]
