"""Variables of a dashboard: what they are, and what a viewer chose of them.

A choice is a text such as `host=web-1&host=web-2`: part of an address, and of the name of a topic. It has only what
differs from the dashboard's defaults, in one order, so that equal choices are one variant, rendered once.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

from metrics.access.sharing import Text
from metrics.names import LABEL_NAME, METRIC_NAME
from metrics.sample import LABEL_VALUE_MOST

ALL = "*"
"""The value that stands for all that may be chosen."""
OPTIONS_MOST = 1000
CHOSEN_CHARACTERS = 2000
NAMED_MOST = 3
VARIABLES_MOST = 10

NAME = r"[a-zA-Z][a-zA-Z0-9_]*"
_ORDER = re.compile(r"(\d+)")

Asked = Mapping[str, Sequence[str]]
"""Values by the name of their variable."""


class VariableSpec(BaseModel):
    """A variable: the values of a label, or a fixed list of values, of which a viewer chooses."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=f"^{NAME}$", max_length=30, description="Letters, digits and _. One called host is written $host."
    )
    title: Text = Field("", max_length=50, description="Stands before the choice; else the name.")
    label: str = Field(
        "",
        pattern=f"^({LABEL_NAME.pattern})?$",
        max_length=200,
        description="The label whose values may be chosen.",
        json_schema_extra={"suggest": "label"},
    )
    metric: str = Field(
        "",
        pattern=f"^({METRIC_NAME.pattern})?$",
        max_length=200,
        description="Only of series of this metric.",
        json_schema_extra={"suggest": "metric"},
    )
    source: str = Field(
        "",
        max_length=100,
        description="The label is that of a server, which this source of the kind promql asks live; "
        "else that of series that are stored.",
    )
    values: list[Text] = Field([], max_length=100, description="A fixed list to choose from, instead of a label's.")
    several: bool = Field(False, title="Several at once", description="More than one may be chosen.")
    all: bool = Field(False, title="All at once", description="All may be chosen at once.")
    default: list[Text] = Field(
        [],
        max_length=100,
        title="Chosen at first",
        description="Chosen at first, * for all. Else all if that may be chosen, or the first.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> "VariableSpec":
        if bool(self.label) == bool(self.values):
            raise ValueError(f"the variable {self.name!r} needs a label or a list of values, and not both")
        if (self.metric or self.source) and self.values:
            raise ValueError(f"the variable {self.name!r} has a list of values, so it takes no metric and no source")
        for values in (self.values, self.default):
            if any(not value.strip() or len(value) > LABEL_VALUE_MOST for value in values):
                raise ValueError(f"a value of {self.name!r} is empty, or longer than {LABEL_VALUE_MOST} characters")
        if ALL in self.values or len(set(self.values)) < len(self.values):
            raise ValueError(f"the values of {self.name!r} are each given once, and none is {ALL}")
        if problem := wrong(self, self.default, self.values or None):
            raise ValueError(f"the default of {self.name!r}: {problem}")
        return self

    @property
    def heading(self) -> str:
        """The words before the choice."""
        return self.title or self.name

    @property
    def usual(self) -> tuple[str, ...]:
        """The values that are chosen when nobody says anything; none means the first that there is then."""
        return _tidied(self.default) or ((ALL,) if self.all else ())


@dataclass(frozen=True, slots=True)
class Choice:
    """The `chosen` values of a variable, in order. With `is_all` those are all that there are.

    One that is `open` restricts nothing: all values of a label are chosen, also those that come later.
    """

    chosen: tuple[str, ...]
    is_all: bool = False
    open: bool = False

    def __str__(self) -> str:
        if self.is_all:
            return "All"
        more = len(self.chosen) - NAMED_MOST
        named = ", ".join(self.chosen[:NAMED_MOST])
        return f"{named} and {more} more" if more > 0 else named or "nothing"


Choices = Mapping[str, Choice]
"""Choices by the name of the variable."""


def wrong(variable: VariableSpec, values: Sequence[str], options: Sequence[str] | None) -> str:
    """Return why `values` can't be chosen, "" if they can; the `options` are not looked at if they are None."""
    if len(set(values)) > 1 and not variable.several:
        return "only one value may be chosen"
    if ALL in values and not variable.all:
        return "all may not be chosen"
    unknown = set(values) - {ALL} - set(options) if options is not None else ()
    return f"there is no value {min(unknown)!r}" if unknown else ""


def canonical(variables: Iterable[VariableSpec], asked: Asked) -> str:
    """Return what is `asked` as a text, without what is the default anyway: "" if it all is."""
    usual = {one.name: one.usual for one in variables}
    return text({name: values for name, values in asked.items() if name in usual and _tidied(values) != usual[name]})


def text(asked: Asked) -> str:
    """Return all that is `asked` as a text, in one order."""
    return urlencode([(name, value) for name in sorted(asked) for value in _tidied(asked[name])])


def read(text: str) -> dict[str, list[str]]:
    """Return what is asked for in `text`."""
    return parse_qs(text)


def choices(variables: Iterable[VariableSpec], options: Asked, chosen: str) -> dict[str, Choice]:
    """Return what is chosen of each variable, given the `options`; `chosen` says what is not the default.

    Values that are gone meanwhile stay chosen, and show nothing.
    """
    asked = read(chosen)
    return {one.name: _choice(one, tuple(options.get(one.name, ())), asked.get(one.name, ())) for one in variables}


def in_order(values: Iterable[str]) -> list[str]:
    """Return `values` as people sort them: web-2 before web-10."""
    return sorted(values, key=lambda value: (_numbered(value.casefold()), value))


def _numbered(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in _ORDER.split(text)]


def _choice(variable: VariableSpec, options: tuple[str, ...], asked: Sequence[str]) -> Choice:
    if variable.values:  # a fixed list is all that may be shown, also of the past
        asked = [value for value in asked if value in (ALL, *variable.values)]
    values = _tidied(asked) or variable.usual or options[:1]
    if ALL in values:
        return Choice(options, is_all=True, open=not variable.values)
    return Choice(tuple(in_order(values)) if variable.several else values[:1])


def _tidied(values: Sequence[str]) -> tuple[str, ...]:
    return (ALL,) if ALL in values else tuple(sorted(set(values)))
