"""How an action says that what it was asked for can't be done."""

import math
from typing import Any

from pydantic import ValidationError

from metrics.sample import UNSTORABLE


class Invalid(Exception):
    """What was asked for can't be made; `field` names what is wrong with it, the message says so in a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_storable(value: Any, where: str) -> None:
    """Raise Invalid if something in `value` can't be stored everywhere: NUL, half a surrogate pair, NaN, infinity.

    `where` is the name of its field.
    """
    if isinstance(value, str) and UNSTORABLE.search(value):
        raise Invalid(where, f"{where}: it has a character that can't be stored, such as NUL.")
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid(where, f"{where}: {value} is not a number that can be stored.")
    if isinstance(value, dict):
        for name, inner in value.items():
            check_storable(name, where)
            check_storable(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            check_storable(inner, f"{where}.{index}")


def sentence(problem: ValidationError, where: str) -> tuple[str, str]:
    """Return the field and the sentence of the first error of `problem`; `where` begins the field's name."""
    first = problem.errors()[0]
    field = ".".join([where, *map(str, first["loc"])])
    return field, f"{field}: {first['msg'].removeprefix('Value error, ')}."
