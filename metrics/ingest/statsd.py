"""StatsD's datagrams, with DogStatsD's tags: `name:value|type|@rate|#tag:value,…`, a reading a line.

https://github.com/statsd/statsd/blob/master/docs/metric_types.md and
https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from metrics import names
from metrics.sample import BadSamples, Sample, check

COUNTER, GAUGE, TIMER, SET = "c", "g", "ms", "s"
HISTOGRAMS = frozenset({"h", "d"})
TYPES = frozenset({COUNTER, GAUGE, TIMER, SET}) | HISTOGRAMS
OTHERS = ("_e{", "_sc|")
"""How DogStatsD's events and service checks begin, which are not for us."""
EXTENSIONS = ("c:", "T", "e:", "card:")
"""Prefixes of further fields that DogStatsD may append: container, time, external data, cardinality."""
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LINE_MOST = 8192
VALUE_MOST = 1e30
RATE_LEAST = 1e-6
SUFFIX_LONGEST = "_total"

Labels = tuple[tuple[str, str], ...]


class BadReading(Exception):
    """A line that is no reading; the message is the beginning of a sentence."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One line: `values` of the metric `name`, of one of `TYPES`; texts for a set, numbers for all others.

    `rate` is which share of readings was sent, in (0, 1]. A gauge that is `relative` changes by its values.
    """

    name: str
    labels: Labels
    type: str
    values: tuple[float, ...] | tuple[str, ...]
    rate: float = 1.0
    relative: bool = False


def parse(datagram: bytes) -> Iterator[Reading | BadReading]:
    """Yield what each line of `datagram` says, or why it says nothing. Raises nothing."""
    for line in datagram.decode(errors="replace").split("\n"):
        if line.strip() and not line.startswith(OTHERS):
            try:
                yield _reading(line.strip())
            except BadReading as bad:
                yield bad


def _reading(line: str) -> Reading:
    head, *rest = line.split("|")
    name, colon, raw = head.partition(":")
    if len(line) > LINE_MOST:
        raise BadReading(f"{line[:100]!r} goes on for more than {LINE_MOST} characters")
    if not (name.strip() and colon and raw and rest):
        raise BadReading(f"{line[:100]!r} is not name:value|type")
    kind, rate, tags = rest[0], 1.0, ""
    if kind not in TYPES:
        raise BadReading(f"{line[:100]!r} has none of the types {', '.join(sorted(TYPES))}")
    for part in rest[1:]:
        if part.startswith("@"):
            rate = _number(part[1:], line)
        elif part.startswith("#"):
            tags = part[1:]
        elif not part.startswith(EXTENSIONS):
            raise BadReading(f"{line[:100]!r} has a part that nobody knows")
    if not RATE_LEAST <= rate <= 1:
        raise BadReading(f"{line[:100]!r} has a rate that is not between 0 and 1")
    metric, labels = _series(name.strip(), tags)
    if kind == SET:
        return Reading(metric, labels, kind, (raw,), rate)
    values = tuple(_number(value, line) for value in raw.split(":"))
    return Reading(metric, labels, kind, values, rate, kind == GAUGE and raw[0] in "+-")


def _number(text: str, line: str) -> float:
    if not NUMBER.fullmatch(text):
        raise BadReading(f"{line[:100]!r} has a value that is not a number")
    if abs(value := float(text)) > VALUE_MOST:
        raise BadReading(f"{line[:100]!r} has a value that is too large")
    assert math.isfinite(value)
    return value


@lru_cache(10_000)
def _series(name: str, tags: str) -> tuple[str, Labels]:
    """Return the names that series get: what can't be in one becomes an underscore. Raises BadReading."""
    parts = (tag.partition(":") for tag in tags.split(","))
    # A tag without a name can't be a label; Datadog's agent keeps the reading, too.
    pairs = [(key, value or "true") for key, _, value in parts if key]
    metric, labels = names.metric(name), names.labels(pairs)
    try:
        check([Sample(metric + SUFFIX_LONGEST, 0.0, labels)], 0.0)
    except BadSamples as bad:
        raise BadReading(f"{name[:100]!r} can't be kept, {str(bad).rstrip('.')}") from None
    return metric, tuple(sorted(labels.items()))
