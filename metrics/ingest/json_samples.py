"""The JSON format: `{"samples": [{"metric", "value", "labels"?, "at"?, "unit"?, …}], "labels"?, …}`.

A field beside `samples` holds for each of them that does not say otherwise.
"""

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from msgspec import MsgspecError, Struct, convert
from msgspec.json import Decoder

from metrics.batch import Parsed
from metrics.sample import BadSamples, Problem, Sample, check, number, whole_number


class _Sample(Struct, forbid_unknown_fields=True):
    metric: str
    value: float
    labels: dict[str, str] | None = None
    at: float | datetime | None = None
    unit: str | None = None
    type: str | None = None
    expected_every: float | None = None
    expires_after: float | None = None


class _Batch(Struct, forbid_unknown_fields=True):
    samples: list[_Sample]
    labels: dict[str, str] | None = None
    type: str | None = None
    expected_every: float | None = None
    expires_after: float | None = None


SHARED = frozenset(_Batch.__struct_fields__) - {"samples"}
"""Fields that a sample may have, and that a batch may have for all of its samples."""
FIELDS = frozenset(_Sample.__struct_fields__)
FIELD_SHOWN_MOST = 100

_batches = Decoder(_Batch)


class NotJson(Exception):
    """A body that can't be read as JSON; the message says where."""


def parse(body: bytes) -> Parsed:
    """Return what is in `body`.

    `at` may be Unix seconds or ISO 8601 with a zone. Raises NotJson, or BadSamples for what has the wrong shape.
    """
    samples = read(body)
    return Parsed(_samples(_look_closely(body)) if samples is None else samples)


def read(body: bytes) -> list[Sample] | None:
    """Return the samples in `body`, or soon None for one that needs a closer look."""
    try:
        batch = _batches.decode(body)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if any(isinstance(one.at, datetime) and one.at.tzinfo is None for one in batch.samples):
        return None
    return _samples(batch)


def _samples(batch: _Batch) -> list[Sample]:
    if any((batch.labels, batch.type, batch.expected_every is not None, batch.expires_after is not None)):
        _check_batch(batch)
        batch.labels = {name: value for name, value in (batch.labels or {}).items() if value}
    return [_sample(one, batch) for one in batch.samples]


def _look_closely(body: bytes) -> _Batch:
    """Return the batch in `body`. Raises NotJson, or BadSamples with all that is wrong with its shape."""
    try:
        document = json.loads(body, parse_int=whole_number)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"The body is not JSON: {error}.") from None
    if not isinstance(document, dict) or not isinstance(document.get("samples"), list):
        raise BadSamples([Problem(None, "samples", 'The body is not an object with a list "samples".')])
    entries = document.pop("samples")
    of_batch = (Problem(None, *what) for what in _problems_of_batch(document))
    of_entries = (Problem(index, *what) for index, entry in enumerate(entries) for what in _problems(entry))
    # A body may be nothing but mistakes: no more are looked for than are told.
    if found := list(islice(chain(of_batch, of_entries), BadSamples.PROBLEMS_MOST)):
        raise BadSamples(found)
    return _Batch([_Sample(**{**entry, "at": time_of(entry.get("at"))}) for entry in entries], **document)


def _check_batch(batch: _Batch) -> None:
    """Raise BadSamples if what stands beside the samples would be bad in each of them, even if there are none."""
    try:
        check([_sample(_Sample("any", 0), batch)], 0)
    except BadSamples as refused:
        raise BadSamples([replace(one, index=None) for one in refused.problems]) from None


def _problems_of_batch(batch: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _unknown(batch, SHARED):
        yield name, f"There is no field {name!r} beside samples."
    yield from _problems_of_shared(batch)


def _problems(entry: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(entry, dict):
        yield "samples", "A sample is an object."
        return
    for name in _unknown(entry, FIELDS):
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


def _unknown(fields: Mapping[str, Any], known: Set[str]) -> Iterator[str]:
    """Yield the names that are not `known`, each as far as it has to be read to be found."""
    return (name[:FIELD_SHOWN_MOST] for name in sorted(set(fields) - known))


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


def _sample(one: _Sample, batch: _Batch) -> Sample:
    labels = one.labels or {}
    return Sample(
        one.metric,
        number(one.value),
        batch.labels | labels if batch.labels else labels,
        one.at.timestamp() if isinstance(one.at, datetime) else one.at,
        one.unit,
        batch.type if one.type is None else one.type,
        _period(batch.expected_every if one.expected_every is None else one.expected_every),
        _period(batch.expires_after if one.expires_after is None else one.expires_after),
    )


def _period(value: float | None) -> float | None:
    return None if value is None else number(value)


def time_of(value: Any) -> Any:
    """Return Unix seconds, None for None, or the class ValueError for what is no time."""
    if value is None:
        return None
    if _is_number(value):
        return number(value)
    if not isinstance(value, str):
        return ValueError
    try:
        moment = _moment(value)
        return moment.timestamp() if moment.tzinfo else ValueError
    except (ValueError, OverflowError):
        return ValueError


def _moment(text: str) -> datetime:
    """Return the time that `read` would find in `text`, or what else ISO 8601 knows. Raises ValueError."""
    try:
        return convert(text, datetime)
    except MsgspecError:
        return datetime.fromisoformat(text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
