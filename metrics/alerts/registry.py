"""The conditions, found by looking into this package."""

import importlib
import pkgutil
from functools import cache

from metrics import alerts
from metrics.alerts.base import AnyCondition, Condition


@cache
def kinds() -> dict[str, AnyCondition]:
    """Return every condition by the name of its kind, an instance each."""
    for module in pkgutil.iter_modules(alerts.__path__, "metrics.alerts."):
        importlib.import_module(module.name)
    return {subclass.kind: subclass() for subclass in Condition.__subclasses__()}


def offered() -> dict[str, AnyCondition]:
    """Return the conditions that a rule can be made with."""
    return {name: kind for name, kind in kinds().items() if kind.is_evaluated}
