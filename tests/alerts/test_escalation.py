"""How a team answers: what its steps mean, and which incidents wait in its quiet hours."""

from datetime import datetime
from typing import Any

import pytest

from metrics.alerts.escalation import EscalationSpec, Quiet, meaning


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "At once the team and its channels, until somebody takes it."),
        (
            {"steps": [{"tell": ["team"]}, {"after": "10m", "tell": ["user:boss", "on-call:night"]}], "repeat": "30m"},
            "At once the team; after 10m boss and night; then every 30m again, until somebody takes it.",
        ),
        (
            {"steps": [{"after": "5m", "tell": ["everyone"]}]},
            "After 5m everyone, until somebody takes it.",
        ),
    ],
)
def test_steps_are_said_in_a_sentence(document: dict[str, Any], said: str) -> None:
    assert meaning(EscalationSpec.model_validate(document)) == said


@pytest.mark.parametrize(
    ("begin", "end", "severity", "at", "waits"),
    [
        ("22:00", "07:00", "warning", "2026-11-20T22:30:00+01:00", True),
        ("22:00", "07:00", "warning", "2026-11-20T21:00:00Z", True),
        ("22:00", "07:00", "warning", "2026-11-20T20:59:59Z", False),
        ("22:00", "07:00", "info", "2026-11-20T05:59:00Z", True),
        ("22:00", "07:00", "info", "2026-11-20T06:00:00Z", False),
        ("22:00", "07:00", "critical", "2026-11-20T22:30:00+01:00", False),
        ("12:00", "13:00", "warning", "2026-07-20T10:30:00Z", True),
        ("12:00", "13:00", "warning", "2026-07-20T11:30:00Z", False),
        ("12:00", "12:00", "warning", "2026-07-20T10:00:00Z", False),
    ],
)
def test_what_can_wait_waits_in_quiet_hours(begin: str, end: str, severity: str, at: str, waits: bool) -> None:
    quiet = Quiet.model_validate({"from": begin, "to": end, "time_zone": "Europe/Berlin"})
    assert quiet.holds(severity, datetime.fromisoformat(at)) is waits
