"""Conversion of a function's return value to samples."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from numbers import Real
from typing import Any

from msgspec import structs

from metrics.plugins.declare import Declared
from metrics.sample import Sample

SAMPLES_MOST = 10_000


def samples(declared: Declared, returned: Any) -> list[Sample]:
    """Return the samples that `returned` stands for. Raises TypeError and ValueError, and what a generator raises."""
    found = []
    for sample in _each(declared, returned):
        found.append(sample)
        if len(found) > SAMPLES_MOST:
            raise ValueError(f"{declared.function} returned more than {SAMPLES_MOST} samples")
    return found


def _each(declared: Declared, returned: Any) -> Iterator[Sample]:
    if returned is None:
        return
    if isinstance(returned, Sample):
        yield _complete(declared, returned)
    elif _is_number(returned):
        yield _sample(declared, returned, {})
    elif isinstance(returned, Mapping):
        yield from _of_mapping(declared, returned)
    elif isinstance(returned, Iterable) and not isinstance(returned, str | bytes):
        for one in returned:
            if not isinstance(one, Sample):
                raise TypeError(f"{declared.function} returned a list with {_name(one)} in it; it takes Sample(…)")
            yield _complete(declared, one)
    else:
        raise TypeError(f"{declared.function} returned {_name(returned)}, not a number, a dict or a list of Sample")


def _of_mapping(declared: Declared, returned: Mapping[Any, Any]) -> Iterator[Sample]:
    if declared.label is None:
        raise ValueError(f'{declared.function} returned a dict; label="shop" says that its keys are shops')
    for key, value in returned.items():
        if value is None:
            continue
        if not _is_number(value):
            raise TypeError(f"{declared.function} returned {_name(value)} for {str(key)[:50]!r}, not a number")
        yield _sample(declared, value, {declared.label: str(key)})


def _sample(declared: Declared, value: Any, labels: dict[str, str]) -> Sample:
    return Sample(declared.metric, float(value), labels, unit=declared.unit, type=declared.type)


def _complete(declared: Declared, sample: Sample) -> Sample:
    if not _is_number(sample.value):
        raise TypeError(f"{declared.function} returned a Sample whose value is {_name(sample.value)}, not a number")
    if not isinstance(sample.labels, Mapping):
        raise TypeError(f"{declared.function} returned a Sample whose labels are {_name(sample.labels)}, not a dict")
    for field, value in (("metric", sample.metric), ("unit", sample.unit or ""), ("type", sample.type or "")):
        if not isinstance(value, str):
            raise TypeError(f"{declared.function} returned a Sample whose {field} is {_name(value)}, not text")
    labels = {str(name): str(value) for name, value in sample.labels.items()}
    made = structs.replace(sample, value=float(sample.value), labels=labels, at=_time(declared, sample.at))
    if sample.metric != declared.metric:
        return made
    return structs.replace(made, unit=sample.unit or declared.unit, type=sample.type or declared.type)


def _time(declared: Declared, at: Any) -> float | None:
    if isinstance(at, datetime):
        return at.timestamp()
    if at is None or _is_number(at):
        return None if at is None else float(at)
    raise TypeError(f"{declared.function} returned a Sample whose at is {_name(at)}, not Unix seconds or a datetime")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | Decimal)


def _name(value: Any) -> str:
    return "text" if isinstance(value, str) else "nothing" if value is None else f"a {type(value).__name__}"
