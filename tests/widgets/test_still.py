"""Kinds that show no series: text, clock, countdown."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.widgets.clock import Clock, ClockConfig, Dial
from metrics.widgets.countdown import Countdown, CountdownConfig, left
from metrics.widgets.text import Text, TextConfig
from tests.widgets.make import AT, window


def test_a_text_is_markdown_and_its_html_is_harmless() -> None:
    said = Text().view(TextConfig(text="# Plan\n\n<b>x</b> [a](javascript:alert(1)) **now**"), [], window()).html
    assert "<h1>Plan</h1>" in said
    assert "<strong>now</strong>" in said
    assert "&lt;b&gt;" in said
    assert "<a" not in said


def test_a_clock_has_the_time_of_each_zone() -> None:
    config = ClockConfig.model_validate(
        {"places": [{"zone": "Asia/Kathmandu"}, {"zone": "UTC", "name": "Servers"}, {"zone": "America/New_York"}]}
    )
    assert Clock().view(config, [], window()).dials == (
        Dial("Kathmandu", "Asia/Kathmandu", "17:45", "Fri 20 Nov", "UTC+05:45"),
        Dial("Servers", "UTC", "12:00", "Fri 20 Nov", "UTC"),
        Dial("New York", "America/New_York", "07:00", "Fri 20 Nov", "UTC-05:00"),
    )


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "x" * 65])
def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError):
        ClockConfig.model_validate({"places": [{"zone": zone}]})


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


@pytest.mark.parametrize("fields", [{"until": "tomorrow"}, {"until": "2026-11-21T12:00:00"}, {}])
def test_a_moment_needs_a_zone(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CountdownConfig.model_validate(fields)
