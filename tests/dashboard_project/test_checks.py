"""System checks about unsafe or mismatched settings."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from dashboard_project import checks

SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
POSTGRESQL = {"default": {"ENGINE": "django.db.backends.postgresql"}}


@pytest.mark.parametrize(
    ("check", "changed", "expected"),
    [
        (checks.debug_pages, {"DEBUG": True, "HOST": "0.0.0.0"}, ["watchfloor.E001"]),
        (checks.debug_pages, {"DEBUG": True, "HOST": "127.0.0.1"}, []),
        (checks.debug_pages, {"DEBUG": False, "HOST": "0.0.0.0"}, []),
        (checks.unencrypted, {"HOST": "0.0.0.0", "BEHIND_TLS": False}, ["watchfloor.W001"]),
        (checks.unencrypted, {"HOST": "0.0.0.0", "BEHIND_TLS": True}, []),
        (checks.unencrypted, {"HOST": "[::1]", "BEHIND_TLS": False}, []),
        (checks.database_is_shared, {"DATABASES": SQLITE, "REDIS_URL": "redis://redis/0"}, ["watchfloor.W003"]),
        (checks.database_is_shared, {"DATABASES": SQLITE, "REDIS_URL": "unix:///run/redis.sock"}, []),
        (checks.database_is_shared, {"DATABASES": POSTGRESQL, "REDIS_URL": "redis://redis/0"}, []),
    ],
)
def test_what_each_check_says(
    check: Any, changed: dict[str, Any], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changed.items():
        monkeypatch.setattr(f"django.conf.settings.{name}", value)
    messages: list[CheckMessage] = check()
    assert [message.id for message in messages] == expected


def test_check_deploy_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.HOST", "0.0.0.0")
    said = {message.id for message in run_checks(include_deployment_checks=True)}
    assert "watchfloor.W001" in said
    assert "watchfloor.W001" not in {message.id for message in run_checks()}
