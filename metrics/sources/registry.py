"""The source kinds, found by looking into this package."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from metrics import sources
from metrics.sources.base import SourceKind


@cache
def kinds() -> dict[str, SourceKind[Any]]:
    """Return every kind by name, an instance each."""
    for module in pkgutil.iter_modules(sources.__path__, "metrics.sources."):
        importlib.import_module(module.name)
    return {subclass.kind: subclass() for subclass in SourceKind.__subclasses__()}
