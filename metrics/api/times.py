"""Times for pushed samples that have none: two of a series in one millisecond would be one, and the second lost."""

import threading
from collections.abc import Sequence

from msgspec import structs

from metrics.sample import Sample
from metrics.schedule import CLOCKS_DIFFER_S

TIMES_MOST = 10_000
AHEAD_MOST_MS = round(CLOCKS_DIFFER_S * 1000)

_lock = threading.Lock()
_last_ms: dict[str, int] = {}


def given(samples: Sequence[Sample], now: float) -> Sequence[Sample]:
    """Return `samples`, with one time for all that have none: `now`, or as soon after it as no metric of theirs had.

    It holds for what this process is pushed.
    """
    metrics = {sample.metric for sample in samples if sample.at is None}
    if not metrics:
        return samples
    at = _next_ms(metrics, round(now * 1000)) / 1000
    return [structs.replace(sample, at=at) if sample.at is None else sample for sample in samples]


def _next_ms(metrics: set[str], now_ms: int) -> int:
    with _lock:
        last_ms = max(_last_ms.get(metric, 0) for metric in metrics)
        # A time far in the future was given before the clock was set back.
        at_ms = now_ms if last_ms > now_ms + AHEAD_MOST_MS else max(now_ms, last_ms + 1)
        if len(_last_ms) > TIMES_MOST:
            for metric in [metric for metric, last_ms in _last_ms.items() if last_ms < now_ms]:
                del _last_ms[metric]
        _last_ms.update(dict.fromkeys(metrics, at_ms))
    return at_ms
