"""Errors of actions: why a request was refused, in one sentence for people."""

import math
from typing import Any

from pydantic import ValidationError

from metrics import validation
from metrics.access.policy import Forbidden
from metrics.sample import UNSTORABLE

__all__ = [
    "Conflict",
    "Errors",
    "Forbidden",
    "Invalid",
    "Missing",
    "NoAnswer",
    "TooLarge",
    "TooOften",
    "check_storable",
    "sentence",
    "sentences",
]


class Invalid(Exception):
    """The thing asked for can't be made; `field` names what is wrong with it, the message says so in a sentence.

    `all` are field and message of everything that was found wrong, this first.
    """

    def __init__(self, field: str, message: str, *others: tuple[str, str]) -> None:
        super().__init__(message)
        self.field = field
        self.all = ((field, message), *others)


class TooLarge(Invalid):
    """A file or a text is larger than it may be; the message says so in a sentence."""


class Errors:
    """Gathers what `Invalid` says in several `with` blocks, so that all is said at once; `found` is that so far."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Invalid):
            return False
        self.found += error.all
        return True

    def check(self) -> None:
        """Raise Invalid if anything was found."""
        if self.found:
            raise Invalid(*self.found[0], *self.found[1:])


class Missing(Exception):
    """There is no such thing; the message says so in a sentence."""


class Conflict(Exception):
    """Somebody was faster; the message says in a sentence who and with what, `revision` is the newest there is."""

    def __init__(self, message: str, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class TooOften(Exception):
    """The principal did this too often; the message is a sentence, `wait_s` seconds from now it may be done again."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class NoAnswer(Exception):
    """A worker that should have answered did not; the message is a sentence."""


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
    return sentences(problem, where)[0]


def sentences(problem: ValidationError, where: str) -> list[tuple[str, str]]:
    """Return the field and the sentence of each error of `problem`; `where` begins the fields' names."""
    errors = problem.errors(include_url=False, include_input=False)
    fields = [".".join(filter(None, [where, *map(str, one["loc"])])) for one in errors]
    messages = [validation.message(one) for one in errors]
    return [(field, f"{field}: {message}.") for field, message in zip(fields, messages, strict=True)]
