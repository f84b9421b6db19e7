"""Buckets in small whole numbers: each column as its difference from an estimate by the columns before it.

In an hour of a counter, the least value is the first and the greatest is the last: their differences are nought, and
take next to no room when packed. The last value of a gauge may be anywhere, and is most often near the mean. In each
chunk the estimate counts that makes it smaller.

Numbers of more decimals are as far from their estimates as their bits are: those of a number that follows on another
follow on its bits, and nothing is lost.
"""

from collections.abc import Sequence

from metrics.series.vectors import Column, np

WHOLE = frozenset({0, 1, 6, 8})
"""Which columns are whole numbers as they are: times and the count."""
_COUNT, _SUM, _MIN, _MAX, _LAST, _FIRST, _GROWTH = 1, 2, 3, 4, 5, 7, 9
ENDS = frozenset({_MIN, _MAX, _LAST, _FIRST})
"""Columns of which growth between buckets is counted, and those that the former are estimated by."""
_BY_BITS = frozenset({_LAST, _FIRST, _GROWTH})
ALL = _GROWTH + 1
"""How many columns there are."""
_PLAIN = WHOLE | {_SUM}
"""Columns of which those before them tell nothing."""
EITHER = frozenset({_MAX, _LAST, _FIRST})
"""Columns of which another or the mean tells more: of a counter the one, of a gauge the other."""
_MOST = 2.0**53
"""Beyond it, not every whole number is a float."""


def of(columns: Sequence[Column], decimals: int) -> list[list[Column]] | None:
    """Return the residuals of columns of buckets with so many decimals; None if one is too large or not a number.

    Those that are among `EITHER` have two: from the estimate by another column, and from the mean.
    """
    whole = []
    for place, column in enumerate(columns):
        scaled = column if place in WHOLE else np.round(column * 10.0**decimals)
        if not np.all(np.abs(scaled) < _MOST):
            return None
        if place not in WHOLE and not np.array_equal(scaled / 10.0**decimals, column):  # near _MOST, rounded twice
            return None
        whole.append(scaled.astype(np.int64))
    found = [[column] for column in whole[:_MIN]]
    mean = _mean(whole) if len(whole) > _MIN else whole[0]
    for place, column in enumerate(whole[_MIN:], _MIN):
        found.append([column if place in _PLAIN else column - _estimate(place, whole, mean)])
        if place in EITHER:
            found[place].append(column - mean)
    return found


def restored(residuals: Sequence[Column], decimals: int, by_mean: int = 0) -> list[Column]:
    """Return the columns of buckets, or the first few of them, that have these residuals.

    `by_mean` has a bit for each place: whether these are residuals from the mean.
    """
    whole = list(residuals[:_MIN])
    mean = _mean(whole) if len(residuals) > _MIN else whole[0]
    for place, residual in enumerate(residuals[_MIN:], _MIN):
        if place in _PLAIN:
            whole.append(residual)
        else:
            whole.append(residual + (mean if by_mean >> place & 1 else _estimate(place, whole, mean)))
    return [column if place in WHOLE else column / 10.0**decimals for place, column in enumerate(whole)]


def of_bits(columns: Sequence[Column], spare: float) -> list[Column]:
    """Return the residuals of all columns of buckets, whatever numbers they are; see `restored_bits`.

    Growth that its estimate differs from by no more than the share `spare` counts as the estimate.
    """
    with np.errstate(all="ignore"):
        found = list(columns)
        for place in _BY_BITS:
            estimate, column = _finite_estimate(place, columns), columns[place]
            if place == _GROWTH:
                column = np.where(np.isclose(estimate, column, rtol=spare, atol=0), estimate, column)
            found[place] = column.view(np.int64) - estimate.view(np.int64)
        return found


def restored_bits(residuals: Sequence[Column]) -> list[Column]:
    """Return the columns of buckets, or the first few of them, of which `of_bits` returned the residuals."""
    with np.errstate(all="ignore"):
        columns: list[Column] = []
        for place, residual in enumerate(residuals):
            if place in _BY_BITS:
                residual = (residual + _finite_estimate(place, columns).view(np.int64)).view(np.float64)
            columns.append(residual)
        return columns


def _finite_estimate(place: int, before: Sequence[Column]) -> Column:
    """Return an estimate of which every processor has the same bits: what is not a number has others on some."""
    return np.nan_to_num(_estimate(place, before, before[_SUM]))


def _mean(before: Sequence[Column]) -> Column:
    return before[_SUM] // before[_COUNT]


def _estimate(place: int, before: Sequence[Column], mean: Column) -> Column:
    """Return what the columns `before` the one in this place, and the mean, let expect of it."""
    if place == _MIN:
        return mean
    if place == _MAX:  # as far from the mean as the least is
        return 2 * mean - before[_MIN]
    if place == _LAST:
        return before[_MAX]
    if place == _FIRST:
        return before[_MIN]
    assert place == _GROWTH
    return before[_LAST] - before[_FIRST]
