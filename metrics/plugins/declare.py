"""The decorator: which function yields which metric, and how often."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from metrics.every import seconds
from metrics.names import METRIC_NAME, is_label
from metrics.sample import METRIC_NAME_MOST, TYPES, UNIT_MOST

F = TypeVar("F", bound=Callable[..., Any])

EVERY_MOST_S = 86_400
TIMEOUT_MOST_S = 20
FORM = '@metric("orders_open", every="10s")'


@dataclass(frozen=True, slots=True)
class Declared:
    """A function that yields samples, as its decorator says; `line` is where it begins."""

    call: Callable[[], Any]
    metric: str
    every_s: int
    unit: str | None
    label: str | None
    type: str | None
    timeout_s: int
    line: int

    @property
    def function(self) -> str:
        return self.call.__name__


declared: list[Declared] = []
"""Declarations made by the decorators of the file that is being loaded."""


def metric(
    name: str,
    *,
    every: str = "",
    unit: str | None = None,
    label: str | None = None,
    type: str | None = None,
    timeout: str = "10s",
) -> Callable[[F], F]:
    """Have the function below run `every` so often (10s, 5m, 1h, 1d); what it returns becomes samples of `name`.

    It returns a number; a dict of numbers, whose keys are values of `label`; a list of Sample; or None for nothing
    this time. `unit` and `type` (counter, if it only grows) are those of the numbers. It is stopped after `timeout`.
    Raises ValueError for what can't be.
    """
    if not isinstance(name, str) or every == "":
        raise ValueError(f"metric needs a name and a period, as in {FORM}")
    if len(name) > METRIC_NAME_MOST or not METRIC_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a metric, such as orders_open")
    if unit is not None and len(unit) > UNIT_MOST:
        raise ValueError(f"unit is longer than {UNIT_MOST} characters")
    if label is not None and not is_label(label):
        raise ValueError(f"{label!r} is not the name of a label, such as shop")
    if type is not None and type not in TYPES:
        raise ValueError(f"type is not one of {', '.join(sorted(TYPES))}")
    every_s, timeout_s = _period("every", every, EVERY_MOST_S), _period("timeout", timeout, TIMEOUT_MOST_S)

    def decorate(function: F) -> F:
        _check(function)
        line = function.__code__.co_firstlineno
        declared.append(Declared(function, name, every_s, unit, label, type, timeout_s, line))
        return function

    return decorate


def _period(name: str, period: str, most_s: int) -> int:
    try:
        length_s = seconds(period)
    except ValueError as problem:
        raise ValueError(f"{name}: {str(problem).rstrip('.')}") from None
    except AttributeError:
        raise ValueError(f"{name} is a period in quotes, such as 10s, 5m, 1h30m or 1d") from None
    if length_s > most_s:
        raise ValueError(f"{name} is longer than {most_s} s")
    return length_s


def _check(function: Callable[..., Any]) -> None:
    if not inspect.isfunction(function):
        raise ValueError("metric goes above a function")
    try:
        inspect.signature(function).bind()
    except TypeError:
        raise ValueError(f"{function.__name__} needs arguments, and is called without") from None
    if any(other.function == function.__name__ for other in declared):
        raise ValueError(f"there are two functions {function.__name__} with a metric")
