"""Countdowns: how long it is."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.widgets.countdown import Countdown, CountdownConfig, left
from tests.widgets.make import AT, window


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3 * 86_400 + 4 * 3_600 + 59, "3 d 4 h"),
        (86_399, "23 h 59 min"),
        (3_600, "1 h 0 min"),
        (61, "1 min 1 s"),
        (59.9, "59 s"),
        (0.9, ""),
        (0, ""),
        (-5, ""),
    ],
)
def test_the_time_that_is_left(seconds: float, said: str) -> None:
    assert left(seconds) == said


@pytest.mark.parametrize(
    ("until", "said"), [("2026-11-21T12:00:00Z", "1 d 0 h"), ("2026-11-20T11:00:00+00:00", "Released")]
)
def test_a_countdown(until: str, said: str) -> None:
    view = Countdown().view(CountdownConfig.model_validate({"until": until, "reached": "Released"}), [], window())
    assert view.left == said
    assert (view.until > AT) == (said != "Released")


@pytest.mark.parametrize(
    "fields", [{"until": "tomorrow"}, {"until": "2026-11-21T12:00:00"}, {"until": "9999-12-31T23:59:59Z"}, {}]
)
def test_a_moment_needs_a_zone(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CountdownConfig.model_validate(fields)
