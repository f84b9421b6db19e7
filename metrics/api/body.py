"""Parts that request bodies have in common."""

from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, ConfigDict


class Body(Schema):
    """A request body: a field it does not have is refused, since it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class Error(Schema):
    """An error in one field; `index` is the place of a sample in its batch, from 0."""

    index: int | None
    field: str
    message: str


class Refused(Schema):
    """A refusal: a sentence for people, and `errors` if something in the request is to blame."""

    detail: str
    errors: list[Error] | None = None


READING: dict[Any, Any] = {frozenset({401, 403, 503}): Refused}
MAKING: dict[Any, Any] = {frozenset({400, 401, 403, 413, 422, 503}): Refused}
ONE: dict[Any, Any] = {frozenset({401, 403, 404, 422, 503}): Refused}
CHANGING: dict[Any, Any] = {frozenset({400, 401, 403, 404, 413, 422, 503}): Refused}
TRYING: dict[Any, Any] = {frozenset({400, 401, 403, 404, 413, 422, 429, 503}): Refused}
TELLING: dict[Any, Any] = {frozenset({400, 401, 403, 413, 422, 429, 503}): Refused}
TAKING_BACK: dict[Any, Any] = {frozenset({401, 403, 404, 422, 429, 503}): Refused}
ASKING: dict[Any, Any] = {frozenset({401, 403, 422, 503}): Refused}
"""Status codes of refusals, by kind of endpoint."""


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL character can't be stored")
    return value


Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can store."""
