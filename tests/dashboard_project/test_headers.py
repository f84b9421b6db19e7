"""Headers of every answer: keep nothing, guess nothing, frame nothing, and over TLS, stay there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as ours
from django.test import Client
from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATHS = {"page": "/sign-in/", "error": "/nowhere/", "api": "/api/v1/series", "health": "/healthz", "admin": "/admin/"}


def manage(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` with production's settings and `env`."""
    secret = "a key that is as long as it has to be, with many different letters in it"
    given = {**os.environ, "SECRET_KEY": secret, "PUBLIC_URL": "https://watch.example.com", **env}
    command = [sys.executable, str(Path(ours.BASE_DIR) / "manage.py"), *arguments]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_every_answer_has_them(path: str, client: Client) -> None:
    headers = client.get(path).headers
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_over_tls_browsers_are_asked_to_stay_there(path: str, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    assert Client().get(path, secure=True).headers["Strict-Transport-Security"] == "max-age=60"
    assert "Strict-Transport-Security" not in Client().get(path).headers


def test_another_host_is_refused_with_a_hint_for_whoever_set_it_up(client: Client) -> None:
    refused = client.get("/", headers={"host": "evil.example"})
    assert refused.status_code == 400
    assert "ALLOWED_HOSTS" in refused.content.decode()
    assert "evil" not in refused.content.decode()


@pytest.mark.parametrize(
    ("env", "seconds"),
    [({}, "31536000"), ({"HSTS_SECONDS": "60"}, "60"), ({"PUBLIC_URL": "http://watch.example.com"}, "0")],
)
def test_that_needs_an_address_with_https(env: dict[str, str], seconds: str) -> None:
    code = "from django.conf import settings; print(settings.SECURE_HSTS_SECONDS)"
    assert manage("shell", "--no-imports", "-c", code, **env).stdout.strip() == seconds


def test_what_the_docs_recommend_passes_djangos_own_checks() -> None:
    checked = manage("check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
