"""Repeated widgets: one is drawn once for each chosen value of its variable, a section with all that stands in it."""

import copy
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.text import slugify

from metrics.models import Widget
from metrics.widgets.column import orders
from metrics.widgets.filled import names, with_values
from metrics.widgets.variables import Choice, Choices

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

SECTION = "section"
"""The kind that is a heading over all columns."""


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
    return widget.title if names(widget.title, widget.repeat) else f"{widget.title}: ${{{widget.repeat}}}"


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
