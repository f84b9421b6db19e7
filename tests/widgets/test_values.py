"""Values of widgets: everything of a view-model, as JSON has it."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from metrics.widgets.values import plain


@dataclass(frozen=True)
class Line:
    name: str
    points: tuple[float, ...]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (math.inf, None),
        (math.nan, None),
        ({1: [Line("a", (1.0, -math.inf))]}, {"1": [{"name": "a", "points": [1.0, None]}]}),
    ],
)
def test_it_is_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_anything_else_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="object is no value of a view-model"):
        plain(object())
