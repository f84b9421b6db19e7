"""What request bodies are made of."""

from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, ConfigDict


class Body(Schema):
    """A request body: a field it does not have is refused, since it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class Error(Schema):
    """What is wrong with one field; `index` is the place of a sample in its batch, from 0."""

    index: int | None
    field: str
    message: str


class Refused(Schema):
    """A refusal: a sentence for people, and `errors` if something in the request is to blame."""

    detail: str
    errors: list[Error] | None = None


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL character can't be stored")
    return value


Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can store."""
