"""Counts of this process's work for open pages; the hub adds them up in Redis every few seconds."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histograms, in seconds."""

_TRAFFIC = f"{KEY}traffic"
_LAST_RENDER = "render:last"
_counts: Counter[str] = Counter()  # seconds among them, too: Counter adds whatever numbers are


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations in seconds: `counts[i]` of at most `BUCKETS_S[i]` and more than the bound before; then the rest."""

    counts: tuple[int, ...]
    sum_s: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of all processes since Redis began: frames and bytes written, and frames that slow viewers were spared."""

    frames: int
    bytes: int
    conflated: int
    render: Histogram
    delivery: Histogram
    last_render_s: float


def sent(frames: int, size_bytes: int) -> None:
    """Count frames written to sockets, and their bytes in all."""
    _counts["frames"] += frames
    _counts["bytes"] += size_bytes


def conflated(frames: int) -> None:
    """Count frames that viewers who were behind did not get."""
    _counts["conflated"] += frames


def delivered(latency_s: float) -> None:
    """Count one change that was written to its viewers `latency_s` after it was accepted."""
    _observe("delivery", latency_s)


def rendered(duration_s: float) -> None:
    """Count one render of a variant, at once: workers have no hub that would do it later."""
    _observe("render", duration_s)
    pipe = client().pipeline(transaction=False)
    for name, amount in _take().items():
        pipe.hincrbyfloat(_TRAFFIC, name, amount)
    pipe.hset(_TRAFFIC, _LAST_RENDER, repr(duration_s))
    pipe.execute()


def flush() -> Commands[None]:
    """Add what this process counted to the totals in Redis. Until Redis answers, nothing counts as added."""
    counts = {name: amount for name, amount in _counts.items() if amount}

    def added(_: object) -> None:
        _counts.subtract(counts)

    return Commands([("HINCRBYFLOAT", _TRAFFIC, name, amount) for name, amount in counts.items()], added)


def totals() -> Commands[Totals]:
    """Return the totals."""
    return Commands([("HGETALL", _TRAFFIC)], _totals)


def _totals(answers: Sequence[Mapping[str, str]]) -> Totals:
    found = {name: float(value) for name, value in answers[0].items()}
    return Totals(
        frames=int(found.get("frames", 0)),
        bytes=int(found.get("bytes", 0)),
        conflated=int(found.get("conflated", 0)),
        render=_histogram(found, "render"),
        delivery=_histogram(found, "delivery"),
        last_render_s=found.get(_LAST_RENDER, 0.0),
    )


def _histogram(found: Mapping[str, float], name: str) -> Histogram:
    counts = tuple(int(found.get(f"{name}:{index}", 0)) for index in range(len(BUCKETS_S) + 1))
    return Histogram(counts, found.get(f"{name}:sum", 0.0))


def _observe(name: str, seconds: float) -> None:
    _counts[f"{name}:{bisect_left(BUCKETS_S, seconds)}"] += 1
    _counts[f"{name}:sum"] += seconds  # type: ignore[assignment]


def _take() -> dict[str, float]:
    counts: dict[str, float] = dict(_counts)
    _counts.clear()
    return counts
