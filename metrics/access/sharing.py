"""The people a thing is for, as documents say it."""

from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, field_validator

from metrics.sample import UNSTORABLE


def _storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise ValueError("it has a character that can't be stored, such as NUL")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can store."""


class Access(BaseModel):
    """Everyone who is signed in may see it, or the members of `teams`, whose editors change it.

    Release 0.1 called teams groups.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    everyone: bool = True
    teams: list[Text] = Field(default=[], max_length=100, validation_alias=AliasChoices("teams", "groups"))

    @field_validator("teams")
    @classmethod
    def _in_order(cls, teams: list[str]) -> list[str]:
        return sorted(set(teams))
