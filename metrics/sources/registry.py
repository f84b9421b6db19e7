"""The source kinds, found by looking into this package."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from metrics import sources
from metrics.sources.base import SourceKind


class Kinds(Mapping[str, SourceKind[Any]]):
    """Every kind by name, an instance each.

    A kind is in the module of its name, and whoever asks for one by name has that one imported alone: a worker that
    checks web pages holds no drivers of databases. Other questions import all of them.
    """

    def __init__(self) -> None:
        self._modules = frozenset(module.name for module in pkgutil.iter_modules(sources.__path__))
        self._known: dict[str, SourceKind[Any]] = {}

    def __getitem__(self, name: str) -> SourceKind[Any]:
        if name not in self._known and name in self._modules:
            self._import(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        for name in self._modules:
            self._import(name)
        return iter(tuple(self._known))

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def _import(self, name: str) -> None:
        module = importlib.import_module(f"{sources.__name__}.{name}")
        for subclass in SourceKind.__subclasses__():
            if subclass.__module__ == module.__name__:
                self._known.setdefault(subclass.kind, subclass())


@cache
def kinds() -> Kinds:
    return Kinds()
