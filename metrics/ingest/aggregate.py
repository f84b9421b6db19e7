"""Aggregation of StatsD's readings between two flushes. Pure: time is an argument.

Counters become increases, which are added to a total where samples are stored; gauges stay what they are; of timers,
histograms and distributions, the mean, some quantiles and the largest value are kept; of sets, how many different
values there were.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from metrics.ingest.statsd import COUNTER, GAUGE, HISTOGRAMS, SET, TIMER, Labels, Reading
from metrics.sample import Sample

FLUSH_S = 10.0
SERIES_MOST = 10_000
FORGOTTEN_AFTER_S = 24 * 3600.0
KEPT_MOST = 1000
MEMBERS_MOST = 100_000
QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


@dataclass(slots=True)
class Counter:
    """By how much it rose, or fell: something that falls is no counter in Prometheus' sense."""

    rose: float = 0.0
    fell: bool = False

    def add(self, reading: Reading) -> None:
        for value in reading.values:
            self.rose += float(value) / reading.rate
            self.fell |= float(value) < 0

    def flush(self, name: str, labels: dict[str, str], since: float, now: float) -> Iterator[Sample]:
        metric = name if name.endswith("_total") else f"{name}_total"
        yield _increase(metric, self.rose, labels, since, now, "gauge" if self.fell else "counter")
        self.rose = 0.0


@dataclass(slots=True)
class Gauge:
    """The last value; only one that was set since the last flush is news."""

    value: float = 0.0
    set: bool = False

    def add(self, reading: Reading) -> None:
        for value in reading.values:
            self.value = float(value) + (self.value if reading.relative else 0.0)
            self.set = True

    def flush(self, name: str, labels: dict[str, str], since: float, now: float) -> Iterator[Sample]:
        if self.set:
            yield Sample(name, self.value, labels, now, type="gauge")
        self.set = False


@dataclass(slots=True)
class Timer:
    """Values since the last flush: all are counted, and `KEPT_MOST` of them, chosen evenly, kept for the quantiles.

    The choice is Vitter's algorithm R, https://doi.org/10.1145/3147.3165.
    """

    unit: str | None
    dice: random.Random
    kept: list[float] = field(default_factory=list)
    seen: int = 0
    count: float = 0.0
    sum: float = 0.0
    largest: float = -math.inf

    def add(self, reading: Reading) -> None:
        for value in map(float, reading.values):
            self.seen += 1
            self.count += 1 / reading.rate
            self.sum += value / reading.rate
            self.largest = max(self.largest, value)
            if len(self.kept) < KEPT_MOST:
                self.kept.append(value)
            elif (place := self.dice.randrange(self.seen)) < KEPT_MOST:
                self.kept[place] = value

    def flush(self, name: str, labels: dict[str, str], since: float, now: float) -> Iterator[Sample]:
        yield _increase(f"{name}_count", self.count, labels, since, now, "counter")
        if self.seen:
            ordered = sorted(self.kept)
            found = {"mean": self.sum / self.count, "max": self.largest}
            found |= {word: ordered[math.ceil(share * len(ordered)) - 1] for word, share in QUANTILES}
            for word, value in found.items():
                yield Sample(f"{name}_{word}", value, labels, now, self.unit, "gauge")
        self.kept, self.seen, self.count, self.sum, self.largest = [], 0, 0.0, 0.0, -math.inf


@dataclass(slots=True)
class Members:
    """The different values since the last flush, of which there may be `room` in all sets together."""

    room: list[int]
    values: set[int] = field(default_factory=set)

    def add(self, reading: Reading) -> None:
        for value in map(hash, reading.values):
            if value not in self.values and self.room[0] > 0:
                self.values.add(value)
                self.room[0] -= 1

    def flush(self, name: str, labels: dict[str, str], since: float, now: float) -> Iterator[Sample]:
        if self.values:
            yield Sample(name, float(len(self.values)), labels, now, type="gauge")
        self.room[0] += len(self.values)
        self.values = set()


class Aggregate:
    """All series since the last flush, which was at `since` (Unix seconds)."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._series: dict[tuple[str, Labels, str], Counter | Gauge | Timer | Members] = {}
        self._used_at: dict[tuple[str, Labels, str], float] = {}
        self._dice = random.Random(0)  # noqa: S311 - not for secrets
        self._room = [MEMBERS_MOST]

    def add(self, reading: Reading, now: float) -> bool:
        """Take in `reading`; False, if it is of a new series and there are too many already."""
        kind = TIMER if reading.type in HISTOGRAMS else reading.type
        key = (reading.name, reading.labels, kind)
        known = self._series.get(key)
        if known is None:
            if len(self._series) >= SERIES_MOST:
                return False
            known = self._series[key] = self._made(reading.type)
        known.add(reading)
        self._used_at[key] = now
        return True

    def flush(self, now: float) -> list[Sample]:
        """Return the samples since the last flush, and begin anew. Metrics without a reading for long are forgotten."""
        samples = [
            sample
            for (name, labels, _), one in self._series.items()
            for sample in one.flush(name, dict(labels), self._since, now)
        ]
        for key in [key for key, used_at in self._used_at.items() if now - used_at > FORGOTTEN_AFTER_S]:
            del self._series[key], self._used_at[key]
        self._since = now
        return samples

    def _made(self, kind: str) -> Counter | Gauge | Timer | Members:
        if kind == COUNTER:
            return Counter()
        if kind == GAUGE:
            return Gauge()
        if kind == SET:
            return Members(self._room)
        return Timer("milliseconds" if kind == TIMER else None, self._dice)


def _increase(metric: str, value: float, labels: dict[str, str], since: float, now: float, kind: str) -> Sample:
    return Sample(metric, value, labels, now, type=kind, expected_every_s=FLUSH_S, adds=True, since=since)
