"""JSON lines (https://jsonlines.org): a sample a line, in the form in which it is pushed; empty lines are skipped."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from metrics.ingest import json_samples
from metrics.ingest.json_samples import NotJson
from metrics.sample import BadSamples, Problem, Sample


def read(lines: Iterable[str]) -> Iterator[tuple[int, Sample]]:
    """Return each sample with the number of its line, from 1.

    Raises BadSamples, whose index is the number of the line, at the first that is no sample.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _sample(number, line)


def _sample(number: int, line: str) -> Sample:
    try:
        (sample,) = json_samples.parse(b'{"samples": [%s]}' % line.encode(errors="replace")).samples
    except (NotJson, ValueError):
        raise BadSamples([Problem(number, "line", "The line is not one JSON object.")]) from None
    except BadSamples as bad:
        raise BadSamples([Problem(number, one.field, one.message) for one in bad.problems]) from None
    return sample


def write(samples: Iterable[Sample]) -> Iterator[str]:
    """Return each sample as a line."""
    for one in samples:
        entry: dict[str, Any] = {"metric": one.metric, "at": one.at, "value": one.value}
        if one.labels:
            entry["labels"] = dict(one.labels)
        if one.unit:
            entry["unit"] = one.unit
        yield json.dumps(entry, ensure_ascii=False) + "\n"
