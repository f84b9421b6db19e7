"""Histograms as buckets: every value is counted once, in a bucket that it fits."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint

from metrics.ingest.otlp_histograms import BUCKETS_MOST, explicit, exponential

INFINITE = math.inf


def test_buckets_count_what_is_at_most_their_bound() -> None:
    assert explicit([0.1, 1, 10], [1, 2, 0, 4]) == [(0.1, 1), (1, 3), (10, 3), (INFINITE, 7)]
    assert explicit([], [5]) == [(INFINITE, 5)]
    assert explicit([], []) == explicit([1], []) == []


@pytest.mark.parametrize(
    ("bounds", "counts"),
    [
        ([1], [1]),
        ([1], [1, 2, 3]),
        ([2, 1], [1, 1, 1]),
        ([1, 1], [1, 1, 1]),
        ([math.nan], [1, 1]),
        ([INFINITE], [1, 1]),
        (list(range(BUCKETS_MOST)), [1] * (BUCKETS_MOST + 1)),
    ],
)
def test_buckets_that_contradict_themselves_are_refused(bounds: list[float], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        explicit(bounds, counts)


def point(scale: int, offset: int, *counts: int, **others: float) -> ExponentialHistogramDataPoint:
    made = ExponentialHistogramDataPoint(scale=scale, **others)  # type: ignore[arg-type]
    made.positive.offset = offset
    made.positive.bucket_counts.extend(counts)
    return made


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (point(0, 0, 1, 2), [(2, 1), (4, 3), (INFINITE, 3)]),
        (point(0, -2, 1, 0, 2), [(0.5, 1), (2, 3), (INFINITE, 3)]),
        (point(1, 0, 1, 2, 4, 8), [(2, 3), (4, 15), (INFINITE, 15)]),
        (point(1, -1, 1, 2), [(1, 1), (2, 3), (INFINITE, 3)]),
        (point(20, 0, 1), [(2, 1), (INFINITE, 1)]),
        (point(-1, 0, 1, 2), [(4, 1), (16, 3), (INFINITE, 3)]),
        (point(-10, 0, 1, 2), [(INFINITE, 3)]),
        (point(-10, -1, 1), [(1, 1), (INFINITE, 1)]),
        (point(-10, -3, 1), [(2.0**-1022, 1), (INFINITE, 1)]),
        (point(0, 5000, 1), [(INFINITE, 1)]),
        (point(0, 0, 1, zero_count=4), [(0, 4), (2, 5), (INFINITE, 5)]),
        (point(0, 0, 1, zero_count=4, zero_threshold=0.5), [(0.5, 4), (2, 5), (INFINITE, 5)]),
        (point(0, 0), [(INFINITE, 0)]),
    ],
)
def test_buckets_lie_between_powers_of_two(
    made: ExponentialHistogramDataPoint, expected: list[tuple[float, int]]
) -> None:
    assert exponential(made) == expected


def test_values_below_zero_are_at_most_zero() -> None:
    made = point(0, 0, 1)
    made.negative.bucket_counts.extend([2, 3])
    assert exponential(made) == [(0, 5), (2, 6), (INFINITE, 6)]


@pytest.mark.parametrize("made", [point(21, 0, 1), point(-11, 0, 1), point(0, 0, *[1] * (BUCKETS_MOST + 1))])
def test_what_no_client_sends_is_refused(made: ExponentialHistogramDataPoint) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        exponential(made)


@given(st.floats(1e-300, 1e300), st.integers(-10, 10))
def test_a_value_is_in_a_bucket_whose_bounds_it_lies_between(value: float, scale: int) -> None:
    index = math.ceil(math.log2(value) * 2**scale) - 1
    (bound, _), *_ = exponential(point(scale, index, 1))
    below = 2.0 ** max(-1022, math.log2(bound) - 2 ** max(0, -scale)) if bound < INFINITE else 0.0
    assert below <= value * (1 + 1e-9)
    assert value <= bound * (1 + 1e-9)


@given(
    st.integers(-10, 20),
    st.integers(-(2**31), 2**31 - 1),
    st.lists(st.integers(0, 2**64 - 1), max_size=40),
    st.integers(0, 2**64 - 1),
    st.floats(),
)
def test_bounds_rise_and_counts_never_fall(
    scale: int, offset: int, counts: list[int], zeros: int, threshold: float
) -> None:
    buckets = exponential(point(scale, offset, *counts, zero_count=zeros, zero_threshold=threshold))
    assert all(low < high for (low, _), (high, _) in pairwise(buckets))
    assert all(before <= after for (_, before), (_, after) in pairwise(buckets))
    assert buckets[-1] == (INFINITE, sum(counts) + zeros)
