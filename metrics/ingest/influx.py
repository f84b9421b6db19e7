"""InfluxDB's line protocol: `measurement,tag=value field=value,field=value time`; line-protocol-parser reads a line.

https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
"""

import re
from collections.abc import Iterator
from typing import Any

from line_protocol_parser import LineFormatError, parse_line

from metrics import names
from metrics.batch import Parsed
from metrics.sample import Sample, labels_of

PRECISIONS = {
    **{"n": 1, "ns": 1, "u": 10**3, "us": 10**3, "µ": 10**3, "ms": 10**6, "s": 10**9},
    **{"m": 60 * 10**9, "h": 3600 * 10**9},
}
"""How many nanoseconds the units of a precision are."""
VALUE = "value"
LINE_SHOWN = 100
ESCAPED = re.compile(r"\\.")


class BadPrecision(Exception):
    """A precision that there is not; the message says which there are."""


class BadLine(ValueError):
    """A line that can't be read; the message tells why."""


def parse(body: bytes, precision: str) -> Parsed:
    """Return the samples in `body`, whose times are in units of `precision`; empty means nanoseconds.

    Each field is a sample of the metric `measurement_field`, or `measurement` for a field called value, and has the
    tags as labels. True is 1 and false is 0. Fields that are texts are left out. The place of a sample is the number of
    its line, from 1. Raises BadPrecision.
    """
    unit_ns = PRECISIONS.get(precision or "ns")
    if unit_ns is None:
        raise BadPrecision(f"invalid precision {precision[:20]!r} (use ns, us, ms, s, m or h)")
    parsed = Parsed()
    for number, line in _lines(body):
        try:
            samples = _samples(_point(line), unit_ns)
        except ValueError as error:
            parsed.refused.add(number, [("line", str(error))])
        else:
            parsed.samples += samples
            parsed.places += [number] * len(samples)
    return parsed


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers; a text in quotes may go on over several."""
    lines, next_at = body.decode(errors="surrogateescape").split("\n"), 0
    while next_at < len(lines):
        at, next_at = next_at, next_at + 1
        line = lines[at]
        if '"' in line and _is_open(line) and not _is_whole(line):
            # The next line with an open quote closes it. If that makes no sense, only this line is bad.
            closed_at = next((i for i in range(next_at, len(lines)) if _is_open(lines[i])), at)
            if _is_whole(joined := "\n".join(lines[at : closed_at + 1])):
                line, next_at = joined, closed_at + 1
        yield at + 1, line


def _is_open(line: str) -> bool:
    """Return whether there is a quote in `line` that is not closed in it."""
    return ESCAPED.sub("", line).count('"') % 2 == 1


def _is_whole(line: str) -> bool:
    """Return whether `line` is one for all that: in names and tags, a quote is a letter like others."""
    try:
        _point(line)
    except BadLine:
        return False
    return True


def _point(line: str) -> dict[str, Any] | None:
    """Return what `line` says, None for an empty one and for a comment. Raises BadLine."""
    if not line.strip():
        return None
    try:
        point: dict[str, Any] | None = parse_line(line)
    except UnicodeEncodeError:
        raise BadLine("it is not UTF-8") from None
    except LineFormatError as error:
        shown = line if len(line) <= LINE_SHOWN else f"{line[:LINE_SHOWN]}…"
        raise BadLine(f"unable to parse '{shown}': {str(error).rstrip('.')}") from None
    return point


def _samples(point: dict[str, Any] | None, unit_ns: int) -> list[Sample]:
    """Return what a line says. Raises ValueError with a sentence."""
    if point is None:
        return []
    labels = labels_of(point["tags"].items())
    at = None if point["time"] is None else point["time"] * unit_ns / 10**9
    return [
        Sample(
            names.metric(point["measurement"] if field == VALUE else f"{point['measurement']}_{field}"),
            float(value),
            labels,
            at,
        )
        for field, value in sorted(point["fields"].items())
        if not isinstance(value, str)
    ]
