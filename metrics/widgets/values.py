"""Widgets as values: what a page shows as HTML, as JSON for programs."""

import json
import math
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from metrics.models import Widget
from metrics.widgets.render import WidgetView


def texts(widgets: Sequence[Widget], views: Sequence[WidgetView]) -> dict[str, str]:
    """Return `widgets` as JSON by key, given the view-model of each."""
    pairs = zip(widgets, views, strict=True)
    return {widget.key: json.dumps(document(view), ensure_ascii=False) for widget, view in pairs}


def document(view: WidgetView) -> dict[str, Any]:
    """Return a widget as an object; there is `error` if it can't be drawn, and `hint` and `note` if it has them.

    `series` has the newest value of each series, a number in its unit, and when it was measured (Unix seconds).
    `view` is the view-model of its kind. Times are Unix seconds, and null without data.
    """
    texts = {name: text for name, text in (("hint", view.hint), ("error", view.error), ("note", view.note)) if text}
    return {
        "kind": view.kind,
        "title": view.title,
        **plain(view.freshness),
        "series": plain(view.series),
        "view": plain(view.view),
        **texts,
    }


def plain(value: Any) -> Any:
    """Return `value`, of dataclasses and what they hold, as JSON has it: what is no finite number is null."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return str(value)
        case list() | tuple():
            return [plain(one) for one in value]
        case dict():
            return {str(name): plain(one) for name, one in value.items()}
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is no value of a view-model")
