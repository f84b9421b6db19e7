"""JSON of others, of which nobody knows what it has."""

from collections.abc import Mapping
from typing import Any


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in `value`, if it is a list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def texts(value: Any) -> list[str]:
    """Return the texts in `value`, if it is a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
