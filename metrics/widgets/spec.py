"""A dashboard as a document: its fields, its widgets, and where these are on the grid.

The API, the first run and what is stored of each revision all speak this form, so they cannot differ in what they take.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from django.utils.text import slugify
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
    with_config,
)
from typing_extensions import TypedDict

from metrics.access.sharing import Access, Text
from metrics.widgets.column import ORDER_MOST
from metrics.widgets.ranges import DEFAULT, RANGES_S
from metrics.widgets.repeated import SECTION
from metrics.widgets.variables import VARIABLES_MOST, VariableSpec

COLUMNS = 12
ROWS = 160
HEIGHT_MOST = 12
WIDGETS_MOST = 200
KEY_LENGTH = 50
TAGS_MOST, TAG_LENGTH = 10, 30


@with_config(ConfigDict(extra="forbid"))
class OnPhone(TypedDict, total=False):
    """Fields that differ on a phone, where tiles stand in one column, in the order of their rows."""

    order: Annotated[
        int, Field(ge=-ORDER_MOST, le=ORDER_MOST, description="The lower, the earlier; 0 if it is left out.")
    ]
    h: Annotated[int, Field(ge=1, le=HEIGHT_MOST, title="Height", description="Rows.")]
    hidden: Annotated[bool, Field(description="It is not shown there.")]


def _without_usual(phone: OnPhone) -> OnPhone:
    """Return `phone` without what means the same if it is left out."""
    return {name: value for name, value in phone.items() if value}  # type: ignore[return-value]  # its own names


class WidgetSpec(BaseModel):
    """One widget. `x` and `y` count columns and rows from 0; a widget without them takes the first place it fits in.

    `key` names the widget within its dashboard for as long as it exists; one without a key gets it from its title.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    key: str = Field("", pattern=r"^([a-z0-9][a-z0-9-]*)?$", max_length=KEY_LENGTH)
    kind: str = Field(max_length=20)
    title: Text = Field(
        min_length=1, max_length=100, description="Stands above it.", json_schema_extra={"suggest": "title"}
    )
    config: dict[str, Any]
    version: int | None = Field(None, ge=1, description="Of the form of the config; the present one if it is left out.")
    x: int | None = Field(None, ge=0, lt=COLUMNS, title="Column", description="The first, from 0 to 11.")
    y: int | None = Field(None, ge=0, lt=ROWS, title="Row", description="The first, from 0.")
    w: int = Field(
        3, ge=1, le=COLUMNS, validation_alias=AliasChoices("w", "width"), title="Width", description="Columns of 12."
    )
    h: int = Field(
        1, ge=1, le=HEIGHT_MOST, validation_alias=AliasChoices("h", "height"), title="Height", description="Rows."
    )
    repeat: str = Field("", max_length=30, description="Name of a variable: drawn once for each of its chosen values.")
    phone: Annotated[OnPhone, AfterValidator(_without_usual)] = Field(
        default_factory=OnPhone, description="Differences on a phone."
    )

    @model_validator(mode="after")
    def _fits(self) -> "WidgetSpec":
        if (self.x is None) != (self.y is None):
            raise ValueError("x and y are given together, or neither of them")
        if self.x is not None and self.x + self.w > COLUMNS:
            raise ValueError(f"it ends in column {self.x + self.w} of {COLUMNS}")
        if self.y is not None and self.y + self.h > ROWS:
            raise ValueError(f"it ends in row {self.y + self.h} of {ROWS}")
        if self.kind == SECTION and (self.w, self.h) != (COLUMNS, 1):
            raise ValueError(f"a section is {COLUMNS} columns wide and 1 row high")
        return self

    def cells(self) -> set[tuple[int, int]]:
        """Return the cells that it covers, as (column, row); none if it has no place yet."""
        if self.x is None or self.y is None:
            return set()
        return {(self.x + dx, self.y + dy) for dx in range(self.w) for dy in range(self.h)}


class DashboardSpec(BaseModel):
    """A dashboard. Once it is validated each widget has a key of its own and a place, and no two overlap."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str = Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=50, description="Its part of the address.")
    title: Text = Field(min_length=1, max_length=100, description="Stands on top of it, and in the list.")
    description: Text = Field("", max_length=300, description="One sentence for the list of dashboards.")
    range: str = Field(
        DEFAULT, description="Shown when no other is asked for.", json_schema_extra={"enum": list(RANGES_S)}
    )
    tags: list[Text] = Field([], max_length=TAGS_MOST, description="Words to find it by in the list.")
    access: Access = Access()
    variables: list[VariableSpec] = Field(
        [], max_length=VARIABLES_MOST, description="The variables that viewers may choose."
    )
    widgets: list[WidgetSpec] = Field([], max_length=WIDGETS_MOST)

    @field_validator("range")
    @classmethod
    def _is_a_range(cls, value: str) -> str:
        if value not in RANGES_S:
            raise ValueError(f"it is one of {', '.join(RANGES_S)}, not {value!r}")
        return value

    @field_validator("tags")
    @classmethod
    def _are_tags(cls, tags: list[str]) -> list[str]:
        tags = [" ".join(tag.split()) for tag in tags]
        wrong = next((tag for tag in tags if not 0 < len(tag) <= TAG_LENGTH or "," in tag), None)
        if wrong is not None:
            raise ValueError(f"a tag has 1 to {TAG_LENGTH} characters and no comma, unlike {wrong[:TAG_LENGTH]!r}")
        return list({tag.casefold(): tag for tag in reversed(tags)}.values())[::-1]

    @field_validator("variables")
    @classmethod
    def _named_once(cls, variables: list[VariableSpec]) -> list[VariableSpec]:
        names = [one.name for one in variables]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two variables have the name {twice!r}")
        return variables

    @field_validator("widgets")
    @classmethod
    def _placed(cls, widgets: list[WidgetSpec]) -> list[WidgetSpec]:
        return placed(with_keys(widgets))

    @model_validator(mode="after")
    def _repeats_are_variables(self) -> "DashboardSpec":
        names = {one.name for one in self.variables}
        unknown = next((one for one in self.widgets if one.repeat and one.repeat not in names), None)
        if unknown:
            raise ValueError(f"{unknown.title!r} is repeated for the variable {unknown.repeat!r}, which there is not")
        return self


def with_keys(widgets: Sequence[WidgetSpec]) -> list[WidgetSpec]:
    """Return `widgets` with a key each. Raises ValueError if two have the same."""
    taken = [one.key for one in widgets if one.key]
    twice = next((key for key in taken if taken.count(key) > 1), None)
    if twice:
        raise ValueError(f"two widgets have the key {twice!r}")
    keys = set(taken)
    found = []
    for one in widgets:
        key = one.key or new_key(one.title, keys)
        keys.add(key)
        found.append(one.model_copy(update={"key": key}))
    return found


def new_key(title: str, taken: Iterable[str], otherwise: str = "widget") -> str:
    """Return a key made of `title` that is not `taken`: cpu, cpu-2, cpu-3. A title without letters is `otherwise`."""
    base = re.sub(r"[^a-z0-9]+", "-", slugify(title)).strip("-")[: KEY_LENGTH - 5] or otherwise
    keys, number = set(taken), 2
    key = base
    while key in keys:
        key, number = f"{base}-{number}", number + 1
    return key


def placed(widgets: Sequence[WidgetSpec]) -> list[WidgetSpec]:
    """Return `widgets` with a place each, those without one in the first gap, row by row.

    Raises ValueError if two overlap, or if there is no room.
    """
    owners: dict[tuple[int, int], WidgetSpec] = {}
    for one in widgets:
        for cell in one.cells():
            if cell in owners:
                raise ValueError(f"{one.title!r} overlaps {owners[cell].title!r}")
            owners[cell] = one
    found = []
    for one in widgets:
        put = one if one.x is not None else _first_gap(one, owners)
        owners |= dict.fromkeys(put.cells(), put)
        found.append(put)
    return sorted(found, key=lambda one: (one.y, one.x))


def _first_gap(widget: WidgetSpec, owners: Mapping[tuple[int, int], WidgetSpec]) -> WidgetSpec:
    for y in range(ROWS - widget.h + 1):
        for x in range(COLUMNS - widget.w + 1):
            if not any((x + dx, y + dy) in owners for dx in range(widget.w) for dy in range(widget.h)):
                return widget.model_copy(update={"x": x, "y": y})
    raise ValueError(f"there is no room for {widget.title!r} in {ROWS} rows")


def in_column(widgets: Iterable[WidgetSpec]) -> list[WidgetSpec]:
    """Return `widgets` in the order that they have on a phone."""
    return sorted(widgets, key=lambda one: (one.phone.get("order", 0), one.y or 0, one.x or 0))


def difference(before: DashboardSpec | None, after: DashboardSpec) -> str:
    """Return one sentence that says how `after` differs from `before`, None if there was nothing; "" if it does not."""
    if before is None:
        return f"Made with {_count(len(after.widgets))}."
    fields = [
        f"{name} is now {getattr(after, name)!r}"
        for name in ("slug", "title", "description", "range")
        if getattr(before, name) != getattr(after, name)
    ]
    if before.tags != after.tags:
        fields.append(f"tags are now {', '.join(after.tags)}" if after.tags else "removed all tags")
    if before.access != after.access:
        fields.append("changed who may see it")
    fields += _of_variables(before.variables, after.variables)
    was, now = ({one.key: one for one in spec.widgets} for spec in (before, after))
    both = [(was[key], now[key]) for key in now if key in was]
    parts = [
        *fields,
        *_named("added", [now[key] for key in now if key not in was]),
        *_named("removed", [was[key] for key in was if key not in now]),
        *_named("moved", [new for old, new in both if _place(old) != _place(new) and _inside(old) == _inside(new)]),
        *_named("changed on phones", [new for old, new in both if old.phone != new.phone]),
        *_named("changed", [new for old, new in both if _inside(old) != _inside(new)]),
    ]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _of_variables(before: Sequence[VariableSpec], after: Sequence[VariableSpec]) -> list[str]:
    was, now = ({one.name: one for one in those} for those in (before, after))
    changes = {
        "added": now.keys() - was.keys(),
        "removed": was.keys() - now.keys(),
        "changed": {name for name in now.keys() & was.keys() if now[name] != was[name]},
    }
    said = [
        f"{verb} the variable{'s' if len(names) > 1 else ''} {', '.join(sorted(names))}"
        for verb, names in changes.items()
        if names
    ]
    return said or (["changed the order of the variables"] if list(was) != list(now) else [])


def _place(widget: WidgetSpec) -> tuple[int | None, int | None, int, int]:
    return widget.x, widget.y, widget.w, widget.h


def _inside(widget: WidgetSpec) -> tuple[str, str, dict[str, Any], int | None, str]:
    return widget.kind, widget.title, widget.config, widget.version, widget.repeat


def _named(verb: str, widgets: Sequence[WidgetSpec]) -> list[str]:
    if not widgets:
        return []
    if len(widgets) > 3:
        return [f"{verb} {_count(len(widgets))}"]
    return [f"{verb} {', '.join(one.title for one in widgets)}"]


def _count(widgets: int) -> str:
    return "1 widget" if widgets == 1 else f"{widgets} widgets"
