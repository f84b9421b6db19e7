"""InfluxDB's line protocol: `measurement,tag=value field=value,field=value time`; line-protocol-parser reads a line.

https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from line_protocol_parser import LineFormatError, parse_line

from metrics.ingest import names
from metrics.sample import Sample

PRECISIONS = {
    **{"n": 1, "ns": 1, "u": 10**3, "us": 10**3, "µ": 10**3, "ms": 10**6, "s": 10**9},
    **{"m": 60 * 10**9, "h": 3600 * 10**9},
}
"""How many nanoseconds the units of a precision are."""
VALUE = "value"
LINE_SHOWN = 100
ESCAPED = re.compile(r"\\.")


class BadLines(Exception):
    """What can't be read; the message tells why, and `line` where, from 1; None for what is wrong with all of it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Written:
    """The `samples` of a body, and for each of them the number of its line, from 1."""

    samples: list[Sample]
    lines: list[int]


def parse(body: bytes, precision: str) -> Written:
    """Return the samples in `body`, whose times are in units of `precision`; empty means nanoseconds. Raises BadLines.

    Each field is a sample of the metric `measurement_field`, or `measurement` for a field called value, and has the
    tags as labels. True is 1 and false is 0. Fields that are texts are left out.
    """
    unit_ns = PRECISIONS.get(precision or "ns")
    if unit_ns is None:
        raise BadLines(f"invalid precision {precision[:20]!r} (use ns, us, ms, s, m or h)")
    written = Written([], [])
    for number, line in _lines(body):
        for sample in _samples(_point(number, line), unit_ns):
            written.samples.append(sample)
            written.lines.append(number)
    return written


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers; a text in quotes may go on over several."""
    try:
        parts = enumerate(body.decode().split("\n"), 1)
    except UnicodeDecodeError as error:
        raise BadLines("it is not UTF-8", body.count(b"\n", 0, error.start) + 1) from None
    for number, line in parts:
        if '"' in line and _is_open(line) and not _is_whole(line):
            line = "\n".join([line, *_rest(parts)])
        yield number, line


def _rest(parts: Iterator[tuple[int, str]]) -> Iterator[str]:
    """Yield what follows an open quote, up to where it is closed."""
    for _, line in parts:
        yield line
        if _is_open(line):  # a quote in it closes the one before
            return


def _is_open(line: str) -> bool:
    """Return whether there is a quote in `line` that is not closed in it."""
    return ESCAPED.sub("", line).count('"') % 2 == 1


def _is_whole(line: str) -> bool:
    """Return whether `line` is one for all that: in names and tags, a quote is a letter like others."""
    try:
        parse_line(line)
    except LineFormatError:
        return False
    return True


def _point(number: int, line: str) -> dict[str, Any] | None:
    """Return what `line` says, None for an empty one and for a comment."""
    if not line.strip():
        return None
    try:
        point: dict[str, Any] | None = parse_line(line)
    except LineFormatError as error:
        shown = line if len(line) <= LINE_SHOWN else f"{line[:LINE_SHOWN]}…"
        raise BadLines(f"unable to parse '{shown}': {str(error).rstrip('.')}", number) from None
    return point


def _samples(point: dict[str, Any] | None, unit_ns: int) -> Iterator[Sample]:
    if point is None:
        return
    labels = names.labels(point["tags"].items())
    at = None if point["time"] is None else point["time"] * unit_ns / 10**9
    for field, value in sorted(point["fields"].items()):
        if not isinstance(value, str):
            metric = point["measurement"] if field == VALUE else f"{point['measurement']}_{field}"
            yield Sample(names.metric(metric), float(value), labels, at)
