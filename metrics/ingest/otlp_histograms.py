"""OpenTelemetry's histograms as Prometheus' buckets: how many values are at most `le`.

https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
"""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

Buckets = list[tuple[float, int]]
"""Upper bounds, rising, and how many values are at most that; the last bound is infinite."""

BUCKETS_MOST = 200
SCALES = range(-10, 21)
EXPONENTS = range(-1022, 1024)


def explicit(bounds: Sequence[float], counts: Sequence[int]) -> Buckets:
    """Return the buckets between `bounds`; none if there are no `counts`. Raises ValueError with a sentence."""
    if not counts:
        return []
    if len(counts) != len(bounds) + 1 or len(counts) > BUCKETS_MOST:
        raise ValueError(f"a histogram has one bucket more than bounds, and at most {BUCKETS_MOST}.")
    if not all(map(math.isfinite, bounds)) or not all(low < high for low, high in pairwise(bounds)):
        raise ValueError("bounds of a histogram rise.")
    return list(zip([*bounds, math.inf], accumulate(counts), strict=True))


def exponential(point: Any) -> Buckets:
    """Return the buckets of an ExponentialHistogramDataPoint, between powers of two. Raises ValueError with a sentence.

    A point chooses how fine its buckets are, and chooses anew when its values spread. Bounds that come and go would
    make series that do, so finer ones are put together: those of powers of two always fit.
    """
    if point.scale not in SCALES:
        raise ValueError(f"the scale of a histogram is not between {SCALES[0]} and {SCALES[-1]}.")
    if len(point.positive.bucket_counts) > BUCKETS_MOST:
        raise ValueError(f"a histogram has more than {BUCKETS_MOST} buckets.")
    below = sum(point.negative.bucket_counts) + point.zero_count
    counts: dict[float, int] = {max(0.0, point.zero_threshold): below} if below else {}
    for index, count in enumerate(point.positive.bucket_counts, point.positive.offset):
        if count:
            bound = _upper_bound(index, point.scale)
            counts[bound] = counts.get(bound, 0) + count
    counts[math.inf] = counts.get(math.inf, 0)
    bounds = sorted(counts)
    return list(zip(bounds, accumulate(counts[bound] for bound in bounds), strict=True))


def _upper_bound(index: int, scale: int) -> float:
    """Return the power of two that bounds the bucket `index` of `scale` from above."""
    exponent = (index >> scale) + 1 if scale >= 0 else (index + 1) << -scale
    if exponent >= EXPONENTS.stop:
        return math.inf
    return math.ldexp(1.0, max(exponent, EXPONENTS.start))
