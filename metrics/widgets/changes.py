"""Changes of the widgets of a dashboard: the list that its document has afterwards. Pure.

Each raises KeyError if there is no widget of that key.
"""

from collections.abc import Mapping
from typing import Any

from metrics.widgets.column import orders as column_orders
from metrics.widgets.spec import COLUMNS, DashboardSpec, WidgetSpec, in_column, new_key

Widgets = list[dict[str, Any]]
NO_PLACE = {"x": None, "y": None}


def added(spec: DashboardSpec, widget: Mapping[str, Any]) -> tuple[str, Widgets]:
    """Return the key of `widget`, made of its title if it has none, and the widgets with it."""
    key = str(widget.get("key") or new_key(str(widget.get("title", "")), (one.key for one in spec.widgets)))
    return key, [*_dumped(spec), {**widget, "key": key}]


def changed(spec: DashboardSpec, key: str, changes: Mapping[str, Any]) -> Widgets:
    """Return the widgets with `changes` of the fields of one."""
    _find(spec, key)
    return [{**one, **changes} if one["key"] == key else one for one in _dumped(spec)]


def without(spec: DashboardSpec, key: str) -> Widgets:
    """Return the widgets without one."""
    _find(spec, key)
    return [one for one in _dumped(spec) if one["key"] != key]


def duplicated(spec: DashboardSpec, key: str) -> tuple[str, Widgets]:
    """Return the key of a copy of a widget, in the first gap that it fits in, and the widgets with it."""
    return added(spec, {**_find(spec, key).model_dump(), **NO_PLACE, "key": ""})


def placed(spec: DashboardSpec, places: Mapping[str, Mapping[str, Any]]) -> Widgets:
    """Return the widgets with x, y, w and h of those that `places` names."""
    return [{**one, **places.get(one["key"], {})} for one in _dumped(spec)]


def on_phones(spec: DashboardSpec, column: Mapping[str, Mapping[str, Any]]) -> Widgets:
    """Return the widgets with `h` and `hidden` that `column` gives each by its key, in its order on phones.

    Those that it does not name come after them, as they are.
    """
    for key in column:
        _find(spec, key)
    rest = [one for one in in_column(spec.widgets) if one.key not in column]
    rows = {one.key: (one.y or 0, one.x or 0) for one in spec.widgets}
    keys = [*column, *(one.key for one in rest)]
    orders = dict(zip(keys, column_orders([rows[key] for key in keys]), strict=True))
    phones: dict[str, Mapping[str, Any]] = {**{one.key: one.phone for one in rest}, **column}
    return [{**one, "phone": _ordered(phones[one["key"]], orders[one["key"]])} for one in _dumped(spec)]


def _ordered(phone: Mapping[str, Any], order: int) -> dict[str, Any]:
    found = {name: value for name, value in phone.items() if name != "order"}
    return {"order": order, **found} if order else found


def compacted(spec: DashboardSpec) -> Widgets:
    """Return the widgets, each moved up as far as nothing is in its way."""
    taken: set[tuple[int, int]] = set()
    found = []
    for one in sorted(spec.widgets, key=lambda one: (one.y or 0, one.x or 0)):
        up = one
        while up.y and taken.isdisjoint((higher := up.model_copy(update={"y": up.y - 1})).cells()):
            up = higher
        taken |= up.cells()
        found.append(up.model_dump())
    return found


def fitted(spec: DashboardSpec) -> Widgets:
    """Return the widgets, each widened to the right as far as nothing is in its way."""
    taken = {cell for one in spec.widgets for cell in one.cells()}
    found = []
    for one in sorted(spec.widgets, key=lambda one: (one.y or 0, one.x or 0)):
        wide = one
        while (one.x or 0) + wide.w < COLUMNS:
            wider = wide.model_copy(update={"w": wide.w + 1})
            if not taken.isdisjoint(wider.cells() - wide.cells()):
                break
            wide = wider
        taken |= wide.cells()
        found.append(wide.model_dump())
    return found


def _dumped(spec: DashboardSpec) -> Widgets:
    return [one.model_dump() for one in spec.widgets]


def _find(spec: DashboardSpec, key: str) -> WidgetSpec:
    for one in spec.widgets:
        if one.key == key:
            return one
    raise KeyError(key)
