"""The widget kinds, found by looking into this package."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from metrics import widgets
from metrics.widgets.base import WidgetKind


@cache
def kinds() -> dict[str, WidgetKind[Any]]:
    """Return every kind by name, an instance each."""
    for module in pkgutil.iter_modules(widgets.__path__, "metrics.widgets."):
        importlib.import_module(module.name)
    return {subclass.kind: subclass() for subclass in WidgetKind.__subclasses__()}
