"""Conversion of a function's return value to samples."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

from msgspec import structs

from metrics.plugins.declare import Declared
from metrics.sample import Sample, number

SAMPLES_MOST = 10_000
TIMES = ("expected_every_s", "expires_after_s", "since")


@dataclass(slots=True)
class Outcome:
    """A returned value as far as it has been looked at: `samples`, and `problems` of parts that can't be one."""

    samples: list[Sample] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)

    def take(self, declared: Declared, returned: Any) -> None:
        """Add all that `returned` stands for.

        Raises TypeError and ValueError if nothing of it can be a sample, and what a generator raises.
        """
        for position, make in enumerate(_each(declared, returned), 1):
            if position > SAMPLES_MOST:
                self.samples.clear()
                raise ValueError(f"{declared.function} returned more than {SAMPLES_MOST} samples")
            try:
                self.samples.append(make())
            except (TypeError, ValueError, ArithmeticError) as problem:
                self.problems.append(problem)
        if self.problems and not self.samples:
            raise self.problems[0]


def _each(declared: Declared, returned: Any) -> Iterator[Callable[[], Sample]]:
    """Yield for each value in `returned` what makes a sample of it, or raises TypeError or ValueError."""
    if returned is None:
        return
    if isinstance(returned, Sample):
        yield partial(_complete, declared, returned)
    elif _is_number(returned):
        yield partial(_sample, declared, returned, {})
    elif isinstance(returned, Mapping):
        yield from _of_mapping(declared, returned)
    elif isinstance(returned, Iterable) and not isinstance(returned, str | bytes):
        for position, one in enumerate(returned, 1):
            yield partial(_complete, declared, one, f" (number {position})")
    else:
        raise TypeError(f"{declared.function} returned {_name(returned)}, not a number, a dict or a list of Sample")


def _of_mapping(declared: Declared, returned: Mapping[Any, Any]) -> Iterator[Callable[[], Sample]]:
    if declared.label is None:
        raise ValueError(f'{declared.function} returned a dict; label="shop" says that its keys are shops')
    for key, value in returned.items():
        if value is not None:
            yield partial(_of_pair, declared, declared.label, key, value)


def _of_pair(declared: Declared, label: str, key: Any, value: Any) -> Sample:
    if not _is_number(value):
        raise TypeError(f"{declared.function} returned {_name(value)} for {str(key)[:50]!r}, not a number")
    return _sample(declared, value, {label: str(key)})


def _sample(declared: Declared, value: Any, labels: dict[str, str]) -> Sample:
    return Sample(declared.metric, number(value), labels, unit=declared.unit, type=declared.type)


def _complete(declared: Declared, sample: Any, where: str = "") -> Sample:
    """Return `sample` with what the decorator says of its metric; `where` it was goes into sentences."""
    if not isinstance(sample, Sample):
        raise TypeError(f"{declared.function} returned a list with {_name(sample)} in it{where}; it takes Sample(…)")
    which = f"{declared.function} returned a Sample{where} whose"
    numbers: dict[str, Any] = {"value": sample.value}
    numbers |= {name: getattr(sample, name) for name in TIMES if getattr(sample, name) is not None}
    for name, value in numbers.items():
        if not _is_number(value):
            raise TypeError(f"{which} {name} is {_name(value)}, not a number")
    if not isinstance(sample.labels, Mapping):
        raise TypeError(f"{which} labels are {_name(sample.labels)}, not a dict")
    for name, value in (("metric", sample.metric), ("unit", sample.unit or ""), ("type", sample.type or "")):
        if not isinstance(value, str):
            raise TypeError(f"{which} {name} is {_name(value)}, not text")
    labels = {str(name): str(value) for name, value in sample.labels.items()}
    floats = {name: number(value) for name, value in numbers.items()}
    made = structs.replace(sample, labels=labels, at=_time(which, sample.at), **floats)
    if sample.metric != declared.metric:
        return made
    return structs.replace(made, unit=sample.unit or declared.unit, type=sample.type or declared.type)


def _time(which: str, at: Any) -> float | None:
    if isinstance(at, datetime):
        return at.timestamp()
    if at is None or _is_number(at):
        return None if at is None else number(at)
    raise TypeError(f"{which} at is {_name(at)}, not Unix seconds or a datetime")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | Decimal)


def _name(value: Any) -> str:
    return "text" if isinstance(value, str) else "nothing" if value is None else f"a {type(value).__name__}"
