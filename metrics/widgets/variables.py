"""Variables of a dashboard: `$host` in titles, legends and labels stands for the values that a viewer chose.

What is chosen is a text such as `host=web-1&host=web-2`: part of an address, and of the name of a topic. It has only
what differs from the dashboard's defaults, in one order, so that equal choices are one variant, rendered once.
"""

import copy
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any
from urllib.parse import parse_qs, urlencode

from django.utils.text import slugify
from pydantic import BaseModel, ConfigDict, Field, model_validator

from metrics.access.sharing import Text
from metrics.models import Widget
from metrics.names import LABEL_NAME, METRIC_NAME
from metrics.sample import LABEL_VALUE_MOST
from metrics.widgets import links, promql_text
from metrics.widgets.annotated import CHOSEN_MOST, tag
from metrics.widgets.column import orders

ALL = "*"
"""The value that stands for all that may be chosen."""
OPTIONS_MOST = 1000
CHOSEN_CHARACTERS = 2000
LEGEND_CHARACTERS = 100
NAMED_MOST = 3
COPIES_MOST = 50
"""Of one repeated widget; those beyond are counted in the title of the last."""
DRAWN_MOST = 200
"""Widgets of a dashboard, copies included."""
ROWS_ADDED_MOST = 180
"""Rows of copies, besides those that the dashboard has."""
ROWS_MOST = 240
"""Rows that are drawn; the stylesheet has so many."""
COPY_WIDTH = 3
"""Least columns of a copy, unless the repeated widget itself has fewer."""
VARIABLES_MOST = 10

SECTION = "section"
"""The kind that is a heading over all columns."""

NAME = r"[a-zA-Z][a-zA-Z0-9_]*"
_USE = re.compile(rf"\$(?:\{{({NAME})\}}|({NAME}))")
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
        "", pattern=f"^({LABEL_NAME.pattern})?$", max_length=200, description="The label whose values may be chosen."
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
    several: bool = Field(False, description="More than one may be chosen.")
    all: bool = Field(False, title="All", description="All may be chosen at once.")
    default: list[Text] = Field(
        [], max_length=100, description="Chosen at first, * for all. Else all if that may be chosen, or the first."
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


# --- What is asked for ------------------------------------------------------------------------------------


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


# --- What is drawn ----------------------------------------------------------------------------------------


def with_values(widget: Widget, choices: Choices) -> Widget:
    """Return a copy of `widget` with what is chosen in the place of the variables in its title and its config."""
    found = copy.copy(widget)
    found.title, found.config = _text(widget.title, choices), _config(widget.config, choices)
    return found


def _config(part: Any, choices: Choices) -> Any:
    """Return a config, or a part of one, with values in its legends, links, tags, and the labels of its queries."""
    match part:
        case dict():
            return {name: _field(name, inner, choices) for name, inner in part.items()}
        case list():
            return [_config(inner, choices) for inner in part]
    return part


def _field(name: str, value: Any, choices: Choices) -> Any:
    match name, value:
        case "labels", dict():
            return _labels(value, choices)
        case "annotations", list():
            return _tags(value, choices)
        case "promql", str():
            return promql_text.filled(value, choices)
        case "legend", str():
            return _cut(_text(value, choices), LEGEND_CHARACTERS)
        case (("url" | "link" | "row_link"), str()):
            return links.with_values(value, _values(choices), is_row=name == "row_link")
    return _config(value, choices)


def _values(choices: Choices) -> dict[str, Sequence[str]]:
    return {name: (ALL,) if one.is_all else one.chosen for name, one in choices.items()}


def _text(text: str, choices: Choices) -> str:
    return _USE.sub(lambda found: str(choices.get(found[1] or found[2], found[0])), text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _labels(labels: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """Return the labels of a query with values; one that may have any is left out."""
    found: dict[str, Any] = {}
    for name, given in labels.items():
        several = [_alternatives(value, choices) for value in (given if isinstance(given, list) else [given])]
        known = [value for values in several if values is not None for value in values]
        if None not in several:
            found[name] = known[0] if len(known) == 1 else known[:OPTIONS_MOST]
    return found


def _tags(tags: Sequence[Any], choices: Choices) -> list[Any]:
    """Return the tags of annotations with values; one for which all are chosen is all of them.

    Values that can't be tags are left out; where no other is chosen, the tag stays as it was typed, which nothing has.
    """
    if not all(isinstance(one, str) for one in tags):  # a config that was not checked when it was made
        return list(tags)
    found: list[str] = []
    for one in tags:
        alone = _USE.fullmatch(one)
        choice = choices.get(alone[1] or alone[2]) if alone else None
        values = None if choice and choice.is_all else _alternatives(one, choices)
        found += [ALL] if values is None else list(filter(_is_tag, values)) or [one]
    return list(dict.fromkeys(found))[:CHOSEN_MOST]


def _is_tag(value: str) -> bool:
    try:
        tag(value)
    except ValueError:
        return False
    return True


def narrowed(labels: Mapping[str, Any], chosen: Asked) -> dict[str, Any]:
    """Return the labels of a query with values, without those whose values do not follow from what is `chosen`."""
    choices = {name: Choice(tuple(values)) for name, values in chosen.items() if ALL not in values}
    follow = {name: value for name, value in labels.items() if _used(value) <= choices.keys()}
    return _labels(follow, choices)


def _used(value: Any) -> set[str]:
    return {found[1] or found[2] for found in _USE.finditer(str(value))}


def _alternatives(value: Any, choices: Choices) -> list[Any] | None:
    """Return all texts that `value` stands for, itself if nothing can be chosen; None for any text at all."""
    if not isinstance(value, str):  # a config that was not checked when it was made
        return [value]
    used = [name for found in _USE.finditer(value) if (name := found[1] or found[2]) in choices]
    if not used or not all(choices[name].chosen or choices[name].open for name in used):
        return [value]
    alone = _USE.fullmatch(value)
    if alone and choices[used[0]].open:
        return None
    names = list(dict.fromkeys(used))
    each = islice(product(*(choices[name].chosen for name in names)), OPTIONS_MOST)
    return [_text(value, {n: Choice((v,)) for n, v in zip(names, values, strict=True)}) for values in each]


# --- Repeated widgets -------------------------------------------------------------------------------------


def drawn(widgets: Sequence[Widget], choices: Choices) -> list[Widget]:
    """Return `widgets` as they are drawn: with values, and a repeated one once for each chosen value of its variable.

    Copies stand side by side in the columns of their widget, and in rows below it; what is below that moves down by as
    much. The key of a copy is that of its widget, `_`, and a name made of the value. A section is repeated with all
    that stands in it, one below the other, and there its variable has that value alone.
    """
    if not choices:
        return list(widgets)
    bands, rows = _with_sections(widgets, choices)
    room = DRAWN_MOST - len(bands)
    groups = []
    for widget, own in bands:
        most = min(COPIES_MOST, 1 + room, (1 + rows // widget.h) * _in_row(widget))
        copies = _copies(widget, own, most)
        room, rows = room - len(copies) + 1, rows - copies[-1].y + widget.y
        groups.append((widget, copies))
    added = _added_rows(groups)
    found = []
    for widget, copies in groups:
        down = sum(rows for line, rows in added.items() if line <= widget.y)
        for one in copies:
            one.y += down
        found += copies
    return _with_headings(widgets, choices, sorted(found, key=lambda one: (one.y, one.x)))


def _with_headings(widgets: Iterable[Widget], choices: Choices, drawn: list[Widget]) -> list[Widget]:
    """Return `drawn`, so that on phones each copy of a section has its own tiles below it, in their order.

    An order is that of all copies, which would put all headings together, and then the tiles.
    """
    repeated = [band for band, _ in _bands(widgets) if _is_repeated_section(band[0], choices)]
    section = {one.key: band[0].key for band in repeated for one in band}
    if not any(one.phone.get("order") for band in repeated for one in band):
        return drawn
    headings = {one.key: one for one in drawn if one.kind == SECTION}

    def place(one: Widget) -> tuple[Any, ...]:
        base, _, copied = one.key.partition("_")
        heading = headings.get(f"{section.get(base)}_{copied.partition('_')[0]}", one)
        inner = () if heading is one else (_phone_place(one),)
        return (_phone_place(heading), *inner)

    column = sorted(range(len(drawn)), key=lambda index: place(drawn[index]))
    for index, order in zip(column, orders(column), strict=True):
        drawn[index].phone = {**drawn[index].phone, "order": order}
    return drawn


def _phone_place(one: Widget) -> tuple[int, int, int]:
    return (one.phone.get("order", 0), one.y, one.x)


def origin(key: str) -> str:
    """Return the key of the widget that the widget drawn with `key` is a copy of, or is itself."""
    return key.partition("_")[0]


def layout(widgets: Iterable[Widget]) -> str:
    """Return a digest of which widgets are drawn, "" if that never changes by itself: none is repeated."""
    keys = sorted(one.key for one in widgets)
    repeats = any(one.repeat or origin(one.key) != one.key for one in widgets)
    return hashlib.sha256(" ".join(keys).encode()).hexdigest()[:8] if repeats else ""


def _with_sections(widgets: Sequence[Widget], choices: Choices) -> tuple[list[tuple[Widget, Choices]], int]:
    """Return `widgets` with their choices, those in repeated sections once for each value; and how many rows are left.

    So many more may be added to the dashboard.
    """
    found: list[tuple[Widget, Choices]] = []
    down, room = 0, DRAWN_MOST - len(widgets)
    rows = min(ROWS_ADDED_MOST, ROWS_MOST - max((one.y + one.h for one in widgets), default=0))
    for band, height in _bands(widgets):
        section = band[0]
        values = choices[section.repeat].chosen if _is_repeated_section(section, choices) else ()
        most = min(COPIES_MOST, 1 + room // len(band), 1 + (rows - down) // height)
        shown: Sequence[str | None] = values[:most] or (None,)
        for number, value in enumerate(shown):
            own = choices if value is None else {**choices, section.repeat: Choice((value,))}
            copies = [_moved(one, down + number * height, value) for one in band]
            found += [(one, own) for one in copies]
            if value is not None:
                copies[0].title, copies[0].repeat = _titled(section), ""
        if len(values) > len(shown):
            copies[0].title += _not_shown(len(values) - len(shown))
        down, room = down + (len(shown) - 1) * height, room - (len(shown) - 1) * len(band)
    return found, rows - down


def _bands(widgets: Iterable[Widget]) -> list[tuple[list[Widget], int]]:
    """Return the widgets of each section with it before them, and how many rows they take; first those of none."""
    bands: list[list[Widget]] = []
    for one in sorted(widgets, key=lambda one: (one.y, one.x)):
        if not bands or one.kind == SECTION:
            bands.append([])
        bands[-1].append(one)
    ends = [band[0].y for band in bands[1:]] + [max((one.y + one.h for one in bands[-1]), default=0)] if bands else []
    return [(band, end - band[0].y) for band, end in zip(bands, ends, strict=True)]


def _is_repeated_section(widget: Widget, choices: Choices) -> bool:
    return widget.kind == SECTION and widget.repeat in choices


def _moved(widget: Widget, rows: int, value: str | None) -> Widget:
    found = copy.copy(widget)
    found.y += rows
    if value is not None:
        found.key = f"{widget.key}_{_name(value)}"
    return found


def _titled(widget: Widget) -> str:
    """Return the title of copies, which names their value."""
    return widget.title if _names(widget.title, widget.repeat) else f"{widget.title}: ${{{widget.repeat}}}"


def _not_shown(count: int) -> str:
    return f" ({count} more not shown)"


def _copies(widget: Widget, choices: Choices, most: int) -> list[Widget]:
    values = choices[widget.repeat].chosen if widget.repeat in choices else ()
    if not values:
        return [with_values(widget, choices)]
    shown = values[:most]
    copies = [_of_value(widget, _titled(widget), value, choices) for value in shown]
    if len(values) > len(shown):
        copies[-1].title += _not_shown(len(values) - len(shown))
    _place(widget, copies)
    return copies


def _of_value(widget: Widget, title: str, value: str, choices: Choices) -> Widget:
    titled = copy.copy(widget)
    titled.title = title
    found = with_values(titled, {**choices, widget.repeat: Choice((value,))})
    found.key = f"{widget.key}_{_name(value)}"
    return found


def _names(title: str, variable: str) -> bool:
    return any((found[1] or found[2]) == variable for found in _USE.finditer(title))


def _name(value: str) -> str:
    """Return a name for `value` that no other value has, of small letters, digits and dashes."""
    plain = re.sub(r"[^a-z0-9]+", "-", slugify(value)).strip("-")[:30]
    return plain if plain == value else f"{plain}-{hashlib.sha256(value.encode()).hexdigest()[:8]}".strip("-")


def _place(widget: Widget, copies: Sequence[Widget]) -> None:
    """Place `copies` in rows of equal length, in the columns of their widget."""
    rows = -(-len(copies) // _in_row(widget))
    in_row = -(-len(copies) // rows)
    edges = [widget.x + widget.w * column // in_row for column in range(in_row + 1)]
    for index, one in enumerate(copies):
        row, column = divmod(index, in_row)
        one.x, one.w, one.y = edges[column], edges[column + 1] - edges[column], widget.y + row * widget.h


def _in_row(widget: Widget) -> int:
    return max(1, widget.w // COPY_WIDTH)


def _added_rows(groups: Iterable[tuple[Widget, list[Widget]]]) -> dict[int, int]:
    """Return how many rows copies need besides those of their widgets, by the row above which they come in."""
    added: dict[int, int] = {}
    for widget, copies in groups:
        line = widget.y + widget.h
        added[line] = max(added.get(line, 0), copies[-1].y - widget.y)
    return added
