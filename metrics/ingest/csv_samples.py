"""CSV (RFC 4180) with a header: the columns metric, at, value and unit, and every other column is a label."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from metrics.ingest.json_samples import time_of
from metrics.sample import BadSamples, Problem, Sample

NEEDED = ("metric", "at", "value")
OURS = (*NEEDED, "unit")


def read(lines: Iterable[str]) -> Iterator[tuple[int, Sample]]:
    """Return each sample with the number of its line, from 1.

    An empty field of a label means that the sample does not have it. Raises BadSamples, whose index is the number of
    the line, at the first that is no sample.
    """
    rows = csv.reader(lines, strict=True)
    try:
        header = next(rows, [])
        if missing := [name for name in NEEDED if name not in header]:
            raise _bad(1, missing[0], f"There is no column {missing[0]} in the header.")
        if len(set(header)) < len(header):
            raise _bad(1, "header", "A column is named twice in the header.")
        for row in rows:
            if row:
                yield rows.line_num, _sample(rows.line_num, header, row)
    except csv.Error as error:
        raise _bad(rows.line_num, "line", f"The line is not CSV: {error}.") from None


def _sample(number: int, header: Sequence[str], row: Sequence[str]) -> Sample:
    if len(row) != len(header):
        raise _bad(number, "line", f"The line has {len(row)} fields, and the header {len(header)}.")
    fields = dict(zip(header, row, strict=True))
    try:
        value = float(fields["value"])
    except ValueError:
        raise _bad(number, "value", f"value {fields['value'][:50]!r} is not a number.") from None
    labels = {name: text for name, text in fields.items() if name not in OURS and text}
    return Sample(fields["metric"], value, labels, _time(number, fields["at"]), fields.get("unit") or None)


def _time(number: int, text: str) -> float:
    try:
        at = time_of(float(text))
    except ValueError:
        at = time_of(text)
    if not isinstance(at, float):
        raise _bad(number, "at", f"at {text[:50]!r} is neither Unix seconds nor ISO 8601 with a time zone.")
    return at


def _bad(number: int, field: str, message: str) -> BadSamples:
    return BadSamples([Problem(number, field, message)])


def write(samples: Iterable[Sample], labels: Sequence[str]) -> Iterator[str]:
    """Return the header and each sample as a line; `labels` are all labels that any of them has."""
    writer = csv.writer(_Line())
    yield writer.writerow([*OURS, *labels])
    for one in samples:
        yield writer.writerow(
            [one.metric, one.at, repr(one.value), one.unit or "", *(one.labels.get(name, "") for name in labels)]
        )


class _Line:
    """A file whose `write` returns what it is given, and so `writerow` does too."""

    def write(self, line: str) -> str:
        return line
