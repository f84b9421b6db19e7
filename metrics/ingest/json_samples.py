"""The JSON format: `{"samples": [{"metric", "value", "labels"?, "at"?, "unit"?}]}`."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from metrics.sample import BadSamples, Problem, Sample

FIELDS = {"metric", "value", "labels", "at", "unit"}


class NotJson(Exception):
    """A body that can't be read as JSON; the message says where."""


def parse(body: bytes) -> list[Sample]:
    """Return the samples in `body`.

    `at` may be Unix seconds or ISO 8601 with a zone. Raises NotJson, or BadSamples for what has the wrong shape.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"The body is not JSON: {error}.") from None
    if not isinstance(document, dict) or not isinstance(document.get("samples"), list):
        raise BadSamples([Problem(None, "samples", 'The body is not an object with a list "samples".')])
    if unknown := set(document) - {"samples"}:
        raise BadSamples(
            [Problem(None, name, f"There is no field {name!r} beside samples.") for name in sorted(unknown)]
        )
    entries = document["samples"]
    found = [Problem(index, *what) for index, entry in enumerate(entries) for what in _problems(entry)]
    if found:
        raise BadSamples(found)
    return [_sample(entry) for entry in entries]


def _problems(entry: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(entry, dict):
        yield "samples", "A sample is an object."
        return
    for name in sorted(set(entry) - FIELDS):
        yield name, f"There is no field {name!r} in a sample."
    if not isinstance(entry.get("metric"), str):
        yield "metric", "metric is missing or not text."
    if not _is_number(entry.get("value")):
        yield "value", "value is missing or not a number."
    if entry.get("unit") is not None and not isinstance(entry["unit"], str):
        yield "unit", "unit is not text."
    labels = entry.get("labels")
    if labels is not None and not (
        isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values())
    ):
        yield "labels", "labels is not an object of texts."
    if _time(entry.get("at")) is ValueError:
        yield "at", "at is neither Unix seconds nor ISO 8601 with a time zone."


def _sample(entry: dict[str, Any]) -> Sample:
    return Sample(
        metric=entry["metric"],
        value=float(entry["value"]),
        labels=entry.get("labels") or {},
        at=_time(entry.get("at")),
        unit=entry.get("unit"),
    )


def _time(value: Any) -> Any:
    """Return Unix seconds, None for None, or the class ValueError for what is no time."""
    if value is None:
        return None
    if _is_number(value):
        return float(value)
    if not isinstance(value, str):
        return ValueError
    try:
        moment = datetime.fromisoformat(value)
        return moment.timestamp() if moment.tzinfo else ValueError
    except (ValueError, OverflowError):
        return ValueError


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True
