"""Picking values out of JSON documents by JMESPath (https://jmespath.org/specification.html), within bounds.

An expression of a few hundred characters can ask for more than any machine has: `[@,@][]` doubles a list each time
it is repeated. So what an expression builds is weighed as it grows, and looked at every step is the time.
"""

import json
import math
import time
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from jmespath.visitor import Options, TreeInterpreter

from metrics.sample import whole_number

EXPRESSION_MOST = 1000
WEIGHT_MOST = 4_000_000
TIME_MOST_S = 2.0


class NoValue(ValueError):
    """A document that can't be read, or an expression that can't be followed; the text completes a sentence."""


def compile(expression: str) -> ParsedResult:
    """Return `expression` ready to be followed. Raises ValueError for one that is none."""
    if len(expression) > EXPRESSION_MOST:
        raise ValueError(f"an expression has at most {EXPRESSION_MOST} characters")
    try:
        return jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        raise ValueError(f"{expression!r} is no JMESPath expression: {' '.join(str(error).split())[:200]}") from None


def document(body: bytes) -> Any:
    """Return the JSON document in `body`. Raises NoValue."""
    try:
        return json.loads(body, parse_int=whole_number)
    except (ValueError, RecursionError) as error:
        raise NoValue(f"is not JSON ({error})") from None


def follow(expression: str, document: Any, until: float = math.inf) -> Any:
    """Return what `expression` finds in `document`, None for nothing, at the latest at `until`, in monotonic seconds.

    Raises NoValue.
    """
    try:
        return _Bounded(until).visit(compile(expression).parsed, document)
    except _TooMuch:
        raise NoValue("takes too much work") from None
    except (JMESPathError, RecursionError, ArithmeticError, TypeError, ValueError) as error:
        raise NoValue(f"does not fit the answer ({' '.join(str(error).split())[:200]})") from None


class _TooMuch(Exception):
    """More than one run may cost."""


class _Functions(functions.Functions):
    """All but `join` make nothing that is larger than what they are given."""

    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        if len(separator) * len(array) > WEIGHT_MOST:
            raise _TooMuch
        return separator.join(array)


class _Bounded(TreeInterpreter):
    """Weighs every value that is built; a part that is used twice weighs twice."""

    def __init__(self, until: float) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self._until = min(until, time.monotonic() + TIME_MOST_S)
        self._weights: dict[int, tuple[int, Any]] = {}  # the value is kept, or its id could become another's

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() > self._until:
            raise _TooMuch
        found = super().visit(node, *args, **kwargs)
        self._weigh(found)
        return found

    def _weigh(self, value: Any) -> int:
        """Return how much `value` is: its characters, or its parts and theirs. Raises _TooMuch."""
        if isinstance(value, str):
            weight = 1 + len(value)
        elif isinstance(value, list | dict):
            known = self._weights.get(id(value))
            if known:
                return known[0]
            weight = 1 + sum(map(self._weigh, value.values() if isinstance(value, dict) else value))
            self._weights[id(value)] = weight, value
        else:
            return 1
        if weight > WEIGHT_MOST:
            raise _TooMuch
        return weight
