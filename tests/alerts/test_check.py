"""Checks that fail now and then, and for good."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.alerts import make


@pytest.mark.parametrize(
    ("fields", "ups", "expected"),
    [
        pytest.param({"bad": 3, "of": 3}, "1001000", [0, 0, 0, 0, 0, 0, 1], id="three in a row"),
        pytest.param({"bad": 3, "of": 5}, "1010100", [0, 0, 0, 0, 0, 1, 1], id="three of five"),
        pytest.param({"bad": 1, "of": 1}, "101", [0, 1, 0], id="each"),
        pytest.param({"bad": 2, "of": 3}, "00111", [0, 1, 1, 0, 0], id="good again once too few are left"),
    ],
)
def test_scenario(fields: dict[str, Any], ups: str, expected: list[int]) -> None:
    samples = [(60.0 * place, float(up)) for place, up in enumerate(ups)]
    counts = make.compared("check", samples, **fields)
    assert make.bad("check", [count or 0.0 for count in counts], **fields) == [bool(one) for one in expected]


def test_more_can_not_be_bad_than_there_are() -> None:
    with pytest.raises(ValidationError, match="bad has to be at most of"):
        make.config("check", bad=4, of=3)
