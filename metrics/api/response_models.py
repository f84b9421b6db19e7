"""One model for all operations that answer the same: ninja makes one for each, 836 of which 62 differ.

Making them took half the time of importing the API, which each start waits for, and ten megabytes.
"""

from typing import Any

from ninja import Schema
from ninja.operation import Operation

_made: dict[Any, type[Schema] | None] = {}
_make = Operation._create_response_model


def share() -> None:
    """Have operations that are made from now on share their models."""
    Operation._create_response_model = _shared  # type: ignore[method-assign, assignment]


def _shared(operation: Operation, response: Any) -> type[Schema] | None:
    if response not in _made:
        _made[response] = _make(operation, response)
    return _made[response]
