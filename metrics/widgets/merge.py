"""Merging two changes of one dashboard: what one person drafts, and what another published meanwhile. Pure.

Both were made of the same revision, the base. A widget has three parts, its place, what is different on phones, and
what it shows: whoever alone changed a part is followed. Where both changed the same part to something else, a person
chooses a side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metrics.widgets.changes import NO_PLACE
from metrics.widgets.spec import DashboardSpec, WidgetSpec

Side = Literal["mine", "theirs", "both"]
PLACE = ("x", "y", "w", "h")
PHONE = ("phone",)
FIELD = "field:"
"""Begins the key of a choice that is about a field of the dashboard, and not a widget."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A widget, or a field of the dashboard, that differs from the base on one side or on both.

    `mine` and `theirs` say how, "" if that side left it alone. `sides` are those that can be taken, and `usual` the one
    that is taken if nobody chooses; it is None where both changed the same.
    """

    key: str
    title: str
    mine: str
    theirs: str
    sides: tuple[Side, ...]
    usual: Side | None


def choices(base: DashboardSpec, mine: DashboardSpec, theirs: DashboardSpec) -> list[Choice]:
    """Return all that differs, fields of the dashboard first."""
    found = [_of_field(name, *(getattr(one, name) for one in (base, mine, theirs))) for name in _fields()]
    keys = dict.fromkeys(one.key for spec in (theirs, mine, base) for one in spec.widgets)
    found += [_of_widget(key, *(_widget(spec, key) for spec in (base, mine, theirs))) for key in keys]
    return [one for one in found if one is not None]


def merged(
    base: DashboardSpec, mine: DashboardSpec, theirs: DashboardSpec, taken: Mapping[str, str]
) -> tuple[dict[str, Any], list[Choice]]:
    """Return the document that both changes together make, and the choices that `taken` leaves open.

    `taken` names a side by the key of the choice. A widget that then overlaps another takes the first gap it fits in.
    """
    document, open_, sides = dict(theirs), list[Choice](), dict[str, Side]()
    for one in choices(base, mine, theirs):
        side = next((side for side in one.sides if side == taken.get(one.key)), one.usual)
        if side is None:
            open_.append(one)
        else:
            sides[one.key] = side
    for name in _fields():
        if sides.get(FIELD + name) == "mine":
            document[name] = getattr(mine, name)
    keys = dict.fromkeys(one.key for spec in (theirs, mine) for one in spec.widgets)
    widgets = [_taken(_widget(base, key), _widget(mine, key), _widget(theirs, key), sides.get(key)) for key in keys]
    document["widgets"] = _apart([one for one in widgets if one is not None])
    return document, open_


def _fields() -> list[str]:
    return [name for name in DashboardSpec.model_fields if name not in ("widgets", "access")]


def _of_field(name: str, base: Any, mine: Any, theirs: Any) -> Choice | None:
    if mine == theirs or base == mine == theirs:
        return None
    title = f"The {name} of the dashboard"
    said_mine, said_theirs = ("" if one == base else f"is {one!r}" for one in (mine, theirs))
    usual: Side | None = None if said_mine and said_theirs else "mine" if said_mine else "theirs"
    return Choice(FIELD + name, title, said_mine, said_theirs, ("mine", "theirs"), usual)


def _of_widget(key: str, base: WidgetSpec | None, mine: WidgetSpec | None, theirs: WidgetSpec | None) -> Choice | None:
    if mine == theirs:
        return None
    title = next(one.title for one in (mine, theirs, base) if one is not None)
    said_mine, said_theirs = _said(base, mine), _said(base, theirs)
    if not (said_mine and said_theirs):
        return Choice(key, title, said_mine, said_theirs, ("mine", "theirs"), "mine" if said_mine else "theirs")
    of_both = _of_both(base, mine, theirs)
    sides: tuple[Side, ...] = ("both", "mine", "theirs") if of_both else ("mine", "theirs")
    return Choice(key, title, said_mine, said_theirs, sides, "both" if of_both else None)


def _taken(
    base: WidgetSpec | None, mine: WidgetSpec | None, theirs: WidgetSpec | None, side: Side | None
) -> WidgetSpec | None:
    if side == "both":
        return _of_both(base, mine, theirs)
    return mine if side == "mine" else theirs


def _of_both(base: WidgetSpec | None, mine: WidgetSpec | None, theirs: WidgetSpec | None) -> WidgetSpec | None:
    """Return the widget with what each side changed of it; None where both changed the same part."""
    if base is None or mine is None or theirs is None:
        return None
    parts: dict[str, Any] = {}
    for part in (_place, _on_phone, _inside):
        if part(mine) not in (part(base), part(theirs)) and part(theirs) != part(base):
            return None
        parts |= part(theirs) if part(mine) == part(base) else part(mine)
    return theirs.model_copy(update=parts)


def _said(base: WidgetSpec | None, now: WidgetSpec | None) -> str:
    if base == now:
        return ""
    if base is None:
        return "added"
    if now is None:
        return "removed"
    words = {_place: "moved", _on_phone: "changed on phones", _inside: "changed"}
    return " and ".join(word for part, word in words.items() if part(base) != part(now))


def _place(widget: WidgetSpec) -> dict[str, Any]:
    return {name: getattr(widget, name) for name in PLACE}


def _on_phone(widget: WidgetSpec) -> dict[str, Any]:
    return {name: getattr(widget, name) for name in PHONE}


def _inside(widget: WidgetSpec) -> dict[str, Any]:
    return {name: value for name, value in widget if name not in PLACE + PHONE}


def _widget(spec: DashboardSpec, key: str) -> WidgetSpec | None:
    return next((one for one in spec.widgets if one.key == key), None)


def _apart(widgets: Sequence[WidgetSpec]) -> list[dict[str, Any]]:
    """Return the widgets without the place of those that overlap one before them."""
    taken: set[tuple[int, int]] = set()
    found = []
    for one in widgets:
        if taken.isdisjoint(one.cells()):
            taken |= one.cells()
            found.append(one.model_dump())
        else:
            found.append({**one.model_dump(), **NO_PLACE})
    return found
