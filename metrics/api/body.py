"""What request bodies are made of."""

from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, ConfigDict


class Body(Schema):
    """A request body: a field it does not have is refused, since it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL character can't be stored")
    return value


Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can store."""
