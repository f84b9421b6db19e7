"""The first run, and all those after it."""

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from metrics.actions.bootstrap import bootstrap
from metrics.models import Dashboard, Source, Widget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR, settings.ADMIN_PASSWORD, settings.PORT = tmp_path, "", 8123
    return tmp_path


def counts() -> list[int]:
    return [manager.count() for manager in (User.objects, Dashboard.objects, Widget.objects, Source.objects)]


def admin() -> User:
    return User.objects.get(username="admin")


def test_it_makes_an_admin_and_the_dashboard_this_machine(data_dir: Path) -> None:
    said = bootstrap()
    assert Dashboard.objects.get().slug == "this-machine"
    assert admin().is_superuser
    kept = data_dir / "admin_password"
    assert admin().check_password(kept.read_text().strip())
    assert kept.read_text().strip() in said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_it_makes_nothing_twice(data_dir: Path) -> None:
    said, made = bootstrap(), counts()
    password = admin().password
    assert bootstrap() == said
    assert counts() == made
    assert admin().password == password


def test_what_was_edited_stays_edited() -> None:
    bootstrap()
    Widget.objects.filter(title="CPU").update(title="Cores")
    Source.objects.exclude(kind="host").delete()
    made = counts()
    bootstrap()
    assert counts() == made
    assert Widget.objects.filter(title="Cores").exists()


@pytest.mark.parametrize("kept", [Dashboard, Source])
def test_a_demo_that_was_deleted_does_not_come_back(kept: Any) -> None:
    bootstrap()
    deleted: Any = Source if kept is Dashboard else Dashboard
    deleted.objects.all().delete()
    made = counts()
    bootstrap()
    assert counts() == made


def test_the_given_password_is_the_password_and_is_not_printed(settings: Settings, data_dir: Path) -> None:
    settings.ADMIN_PASSWORD = "given by the operator"
    assert "given by" not in bootstrap().replace("given as", "")
    assert admin().check_password("given by the operator")
    assert not (data_dir / "admin_password").exists()


def test_a_given_password_wins_over_the_one_before(settings: Settings) -> None:
    bootstrap()
    settings.ADMIN_PASSWORD = "given by the operator"
    bootstrap()
    assert admin().check_password("given by the operator")


def test_a_given_password_that_is_the_same_signs_nobody_out(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "given by the operator"
    bootstrap()
    before = admin().password
    bootstrap()
    assert admin().password == before


def test_it_never_tells_a_password_that_is_no_longer_true() -> None:
    bootstrap()
    user = admin()
    user.set_password("chosen by a person")
    user.save()
    said = bootstrap()
    assert user.check_password("chosen by a person")
    assert "the password you chose" in said


def test_the_check_of_the_web_process_follows_the_port(settings: Settings) -> None:
    bootstrap()
    settings.WEB_URL = "http://127.0.0.1:9000"
    bootstrap()
    assert Source.objects.get(name="web process").config["url"] == "http://127.0.0.1:9000/healthz"


def test_a_check_that_was_pointed_elsewhere_stays(settings: Settings) -> None:
    bootstrap()
    Source.objects.filter(name="web process").update(config={"url": "https://ops.example/healthz"})
    settings.WEB_URL = "http://127.0.0.1:9000"
    bootstrap()
    assert Source.objects.get(name="web process").config == {"url": "https://ops.example/healthz"}


def test_the_command_says_how_to_sign_in(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("bootstrap")
    assert capsys.readouterr().out.startswith("Sign in as admin ")
