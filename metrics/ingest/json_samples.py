"""The JSON format: `{"samples": [{"metric", "value", "labels"?, "at"?, "unit"?, …}], "labels"?, …}`.

What stands beside `samples` holds for each of them that does not say otherwise.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from metrics.sample import BadSamples, Problem, Sample, check

SHARED = {"labels", "type", "expected_every", "expires_after"}
"""What a sample may say, and the batch for all of its samples."""
FIELDS = {"metric", "value", "at", "unit"} | SHARED
PLAIN = {"metric", "value", "labels", "at"}
EXACT = 2**53
"""Whole numbers up to it are numbers in JSON, whoever reads them."""


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
    entries = document.pop("samples")
    if not document and (plain := _all_plain(entries)) is not None:
        return plain
    found = [Problem(None, *what) for what in _problems_of_batch(document)]
    found += [Problem(index, *what) for index, entry in enumerate(entries) for what in _problems(entry)]
    if found:
        raise BadSamples(found)
    if document:
        _check_batch(document)
    return [_sample(entry, document) for entry in entries]


def _all_plain(entries: list[Any]) -> list[Sample] | None:
    """Return the samples, if every entry is of the most usual form; else None, and each is looked at more closely.

    It takes half the time, and large batches come from machines, which write them all alike.
    """
    samples = []
    for entry in entries:
        if type(entry) is not dict or not entry.keys() <= PLAIN:
            return None
        metric, value, labels, at = entry.get("metric"), entry.get("value"), entry.get("labels"), entry.get("at")
        if type(metric) is not str or (type(value) is not float and not (type(value) is int and abs(value) <= EXACT)):
            return None
        if at is not None and type(at) is not float and not (type(at) is int and abs(at) <= EXACT):
            return None
        if labels is not None and (type(labels) is not dict or any(type(text) is not str for text in labels.values())):
            return None
        samples.append(Sample(metric, float(value), labels or {}, None if at is None else float(at)))
    return samples


def _check_batch(batch: Mapping[str, Any]) -> None:
    """Raise BadSamples if what stands beside the samples would be bad in each of them, even if there are none."""
    try:
        check([_sample({"metric": "any", "value": 0}, batch)], 0)
    except BadSamples as refused:
        raise BadSamples([replace(one, index=None) for one in refused.problems]) from None


def _problems_of_batch(batch: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in sorted(set(batch) - SHARED):
        yield name, f"There is no field {name!r} beside samples."
    yield from _problems_of_shared(batch)


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
    if time_of(entry.get("at")) is ValueError:
        yield "at", "at is neither Unix seconds nor ISO 8601 with a time zone."
    yield from _problems_of_shared(entry)


def _problems_of_shared(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    labels = fields.get("labels")
    if labels is not None and not (
        isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values())
    ):
        yield "labels", "labels is not an object of texts."
    if fields.get("type") is not None and not isinstance(fields["type"], str):
        yield "type", "type is not text."
    for name in ("expected_every", "expires_after"):
        if fields.get(name) is not None and not _is_number(fields[name]):
            yield name, f"{name} is not a number of seconds."


def _sample(entry: Mapping[str, Any], batch: Mapping[str, Any]) -> Sample:
    labels = entry.get("labels") or {}
    if batch.get("labels"):
        labels = batch["labels"] | labels
    return Sample(
        metric=entry["metric"],
        value=float(entry["value"]),
        labels=labels,
        at=time_of(entry.get("at")),
        unit=entry.get("unit"),
        type=_said("type", entry, batch),
        expected_every_s=_said("expected_every", entry, batch),
        expires_after_s=_said("expires_after", entry, batch),
    )


def _said(name: str, entry: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
    return batch.get(name) if entry.get(name) is None else entry[name]


def time_of(value: Any) -> Any:
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
