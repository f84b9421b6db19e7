"""The kinds of channels, found by looking into this package: each is in the module of its name."""

import importlib
import pkgutil
from functools import cache

from metrics import notify
from metrics.notify.base import AnyChannelKind, ChannelKind


@cache
def kinds() -> dict[str, AnyChannelKind]:
    """Return every kind by its name, an instance each, in order."""
    modules = [one.name for one in pkgutil.iter_modules(notify.__path__) if not one.ispkg]
    found = (_in(importlib.import_module(f"{notify.__name__}.{name}").__name__) for name in sorted(modules))
    return {one.kind: one for one in found if one is not None}


def kind_of(name: str) -> AnyChannelKind:
    """Return the kind `name`, and import no other. Raises KeyError if there is none."""
    try:
        found = _in(importlib.import_module(f"{notify.__name__}.{name}").__name__)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise KeyError(name)
    return found


def _in(module: str) -> AnyChannelKind | None:
    return next((one() for one in ChannelKind.__subclasses__() if one.__module__ == module), None)
