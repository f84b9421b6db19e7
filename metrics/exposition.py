"""Prometheus' text format and OpenMetrics', as samples; prometheus-client reads them.

https://prometheus.io/docs/instrumenting/exposition_formats/,
https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

import io
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import parser as text_format
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics_format

from metrics.sample import Sample, number

LINE_MOST = 16 * 1024
"""The parsers take time in the square of a line's length; 20 labels of 200 characters need far less."""
REASON_MOST = 200
PLAIN_COUNTER = re.compile(r"#\s+TYPE\s+(\S+)(?<!_total)\s+counter\s*")
COUNTED = ("_count", "_sum", "_bucket")
SUFFIXES = {
    "counter": ("_total", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "info": ("_info",),
}
GAUGES = frozenset({"gauge", "gaugehistogram", "info", "stateset"})
HAS_UNIT = ("", "_total", "_sum", "_gsum")
NAMED_UNITS = ("seconds", "bytes", "ratio", "percent")
"""Of the units that names end with (https://prometheus.io/docs/practices/naming/), those that can be shown well."""


class BadExposition(Exception):
    """A text that can't be read; the message is a sentence that names the line."""


@dataclass(frozen=True, slots=True)
class Exposition:
    """The `samples` of an exposition, and the `names` that samples of its families may have.

    Values that are NaN are left out, as are native histograms: neither is a number. A summary without observations
    has NaN quantiles, so its name is among `names` though it has no sample.
    """

    samples: list[Sample]
    names: frozenset[str]


def parse(body: bytes, openmetrics: bool = False, within_s: float = math.inf) -> Exposition:
    """Return what `body` holds, in Prometheus' text format or OpenMetrics'.

    Raises BadExposition, also if reading takes longer than `within_s`.
    """
    lines = _Lines(body, openmetrics, time.monotonic() + within_s)
    families = (openmetrics_format if openmetrics else text_format).text_fd_to_metric_families(lines)
    samples: list[Sample] = []
    names: set[str] = set()
    try:
        for family in families:
            kind = "counter" if family.name in lines.plain_counters else family.type
            names.update(family.name + suffix for suffix in SUFFIXES.get(kind, ("",)))
            names.update(reading.name for reading in family.samples)
            samples += _samples(family, kind)
    except Exception as error:  # the parsers raise whatever they stumble over
        raise BadExposition(lines.complaint(error)) from None
    return Exposition(samples, frozenset(names))


class _Lines:
    """The lines of a body, counted as they are read.

    The text parser appends _total to the names of counters that lack it, which Prometheus does not. Their lines are
    changed so that it does not either, and their names are kept in `plain_counters`.
    """

    def __init__(self, body: bytes, openmetrics: bool, until: float) -> None:
        self._body = body
        self._until = until
        self._openmetrics = openmetrics
        self._number = 0
        self.plain_counters: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        for line in io.BytesIO(self._body):
            self._number += 1
            if len(line) > LINE_MOST:
                raise ValueError(f"it is longer than {LINE_MOST} bytes")
            if time.monotonic() > self._until:
                raise ValueError("there is more than can be read in time")
            text = line.decode()
            if not self._openmetrics and (counter := PLAIN_COUNTER.fullmatch(text)):
                self.plain_counters.add(counter[1])
                text = f"# TYPE {counter[1]} unknown\n"
            yield text

    def complaint(self, error: Exception) -> str:
        """Return a sentence that names the last line that was read, and what is wrong as far as anybody said."""
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else " ".join(str(error).split())
        reason = f": {reason[:REASON_MOST].rstrip('.')}" if isinstance(error, ValueError) and reason else ""
        return f"Line {self._number} can't be read{reason}."


def _samples(family: Metric, kind: str) -> Iterator[Sample]:
    for reading in family.samples:
        if reading.native_histogram is not None or math.isnan(reading.value):
            continue
        at = None if reading.timestamp is None else float(reading.timestamp)
        suffix = reading.name.removeprefix(family.name)
        unit = _unit(family, kind, suffix)
        yield Sample(reading.name, number(reading.value), reading.labels, at, unit, type_of(kind, suffix))


def _unit(family: Metric, kind: str, suffix: str) -> str | None:
    """Return the unit that the family declares or, unless it counts, that its name ends with."""
    if suffix not in HAS_UNIT:
        return None
    if family.unit:
        return family.unit
    word = family.name.rpartition("_")[2]
    return word if word in NAMED_UNITS and not suffix and kind != "counter" else None


def type_of(kind: str, suffix: str) -> str | None:
    """Return the type of a series, by its family's and what stands behind the family's name; None if nobody said."""
    if kind in GAUGES or suffix == "_created":
        return "gauge"
    if kind == "counter":
        return "counter"
    if kind in ("summary", "histogram"):
        return "counter" if suffix in COUNTED else "gauge"
    return None
