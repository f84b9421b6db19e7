"""Channels as files: what they say is what is stored, and no credential is ever written or shown."""

from pathlib import Path
from typing import Any

import pytest

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import channel_configs, channel_files, channels
from metrics.actions.errors import Conflict, Invalid
from metrics.models import AuditEntry, Channel
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SECRET, OTHER = "a-secret-of-32-characters-or-more", "another-secret-with-enough-letters"
HOOK = """# Their own receiver.
name: Pager
team: ops
kind: webhook
config:
  url: https://pager.example.org/in
  secret: {env: OPS_SECRET}   # in the vault
  secret_headers:
    X-Key: {file: KEYFILE}
  timeout_s: 5
position: 0
"""


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make.team("ops")
    (tmp_path / "key").write_text("key-of-the-pager\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPS_SECRET", SECRET)


TEXT = HOOK.replace("KEYFILE", "key")


def applied(text: str = TEXT, *, prune: bool = False) -> list[str]:
    """Apply one file; return what was done."""
    changes = channel_files.compare(SYSTEM, {"pager": text} if text else {}, prune=prune)
    assert SECRET not in repr(changes)
    assert not [line for one in changes for line in one.lines() if SECRET in line or "key-of" in line]
    channel_files.apply(SYSTEM, changes)
    return [one.verb for one in changes]


def secrets() -> dict[str, object]:
    return channel_configs.secrets_of(Channel.objects.get())


def test_a_file_is_applied_once_with_what_its_references_stand_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (applied(), applied()) == (["create"], [])
    made = Channel.objects.get()
    assert (str(made.team), made.kind, made.config["timeout_s"]) == ("ops", "webhook", 5)
    assert secrets() == {"secret": SECRET, "secret_headers": {"X-Key": "key-of-the-pager"}}
    assert channel_files.export(SYSTEM, {"pager": TEXT}) == {"pager": TEXT}
    monkeypatch.setenv("OPS_SECRET", OTHER)
    (change,) = channel_files.compare(SYSTEM, {"pager": TEXT})
    assert [line for line in change.lines() if line[:3] in ("-  ", "+  ")] == [
        "-  secret: {kept: true}   # in the vault",
        "+  secret: {env: OPS_SECRET}   # in the vault",
    ]
    channel_files.apply(SYSTEM, [change])
    assert secrets()["secret"] == OTHER
    assert not [one for one in AuditEntry.objects.all() if SECRET in str([one.before, one.after])]


def test_what_was_changed_in_the_page_goes_into_the_file_and_a_placeholder_leaves_it() -> None:
    applied()
    pk = Channel.objects.get().pk
    channels.change(
        SYSTEM, pk, {"digest": {"every": "1h"}, "config": {"url": "https://b.example.org/in", "secret": OTHER}}
    )
    text = channel_files.export(SYSTEM, {"pager": TEXT})["pager"]
    assert "url: https://b.example.org/in\n  secret: {kept: true}   # in the vault\n" in text
    assert "X-Key: {file: key}" in text
    assert "digest: {every: 1h}" in text
    assert applied(text) == []
    assert applied(text.replace("b.example", "c.example")) == ["change"]
    assert secrets()["secret"] == OTHER
    alone = channel_files.export(SYSTEM, {})
    assert list(alone) == ["ops-pager"]
    assert "secret_headers: {kept: true}" in alone["ops-pager"]
    assert channel_files.compare(SYSTEM, alone) == []
    without = text.replace("  secret_headers:\n    X-Key: {file: key}\n", "")
    assert applied(without) == ["change"]
    assert secrets() == {"secret": OTHER}


def test_what_is_kept_in_a_file_and_was_removed_in_the_page_leaves_the_file() -> None:
    mail = """# Ours.
name: " Mail "
kind: mail
config:
  to: [a@example.org]
  host: mail.example.org
  username: ann
  password: {kept: true}
"""
    config = {"to": ["a@example.org"], "host": "mail.example.org", "username": "ann", "password": SECRET}
    pk = channels.create(SYSTEM, "mail", "Mail", config).pk
    assert channel_files.compare(SYSTEM, {"mail": mail}) == []
    channels.change(SYSTEM, pk, {"config": {"to": ["b@example.org"], "password": ""}})
    text = channel_files.export(SYSTEM, {"mail": mail})["mail"]
    assert text.startswith("# Ours.\n")
    assert "password" not in text
    assert channel_files.compare(SYSTEM, {"mail": text}) == []


def test_a_credential_that_is_lost_is_removed_by_a_file_without_it(settings: Any) -> None:
    applied()
    settings.SECRET_KEY = "another-key"
    without = TEXT.replace("  secret_headers:\n    X-Key: {file: key}\n", "")
    assert applied(without) == ["change"]
    assert secrets() == {"secret": SECRET}


def test_one_without_a_file_is_deleted_only_when_asked() -> None:
    channels.create(SYSTEM, "mail", "Post", {"to": ["a@example.org"]})
    assert applied("") == []
    assert applied("", prune=True) == ["delete"]
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{env: OPS_SECRET}", SECRET, r"channels/pager.yaml: line 7: config.secret: a credential is not written here"),
        ("{env: OPS_SECRET}", "{env: NONE}", r"line 7: config.secret: the environment has no variable 'NONE'\."),
        ("{env: OPS_SECRET}", "{kept: true}", r"line 7: config.secret: nothing is stored that could be kept\."),
        ("{file: key}", "{file: none}", r"line 9: config.secret_headers.X-Key: none can't be read \(No such file"),
        (
            "{file: key}",
            "{kept: true}",
            r"line 9: config.secret_headers.X-Key: .* but named: {env: NAME} or {file: PATH}",
        ),
        ("{file: key}", "key", r"line 9: config.secret_headers.X-Key: a credential is not written here"),
        ("team: ops", "team: nobody", r"line 3: team: there is no team 'nobody'\."),
        ("kind: webhook", "kind: pigeon", r"line 4: kind: there is no kind of channel 'pigeon'"),
        ("timeout_s: 5", "timeout_s: 500", r"line 10: config.timeout_s: "),
        ("timeout_s: 5", "colour: red", r"line 10: config.colour: "),
        ("position: 0", "digest: {every: 1s}", r"line 11: digest"),
        ("name: Pager\n", "", r"name: "),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_without_the_secret(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(Invalid, match=said) as refused:
        applied(TEXT.replace(old, new))
    assert SECRET not in str(refused.value.all)
    assert not Channel.objects.exists()


def test_two_files_of_one_and_another_kind_and_a_change_meanwhile_are_refused() -> None:
    with pytest.raises(Invalid, match=r"channels/pager.yaml: channels/a.yaml is of"):
        channel_files.compare(SYSTEM, {"a": TEXT, "pager": TEXT})
    applied()
    mail = "name: Pager\nteam: ops\nkind: mail\nconfig: {to: [a@example.org]}\n"
    with pytest.raises(Invalid, match="line 3: kind: this channel is of the kind webhook"):
        applied(mail)
    changes = channel_files.compare(SYSTEM, {"pager": TEXT.replace("timeout_s: 5", "timeout_s: 6")})
    channels.change(SYSTEM, Channel.objects.get().pk, {"enabled": False})
    with pytest.raises(Conflict, match="Somebody changed the channel Pager meanwhile"):
        channel_files.apply(SYSTEM, changes)


def test_people_have_files_of_the_channels_that_they_may_see() -> None:
    applied()
    assert channel_files.export(of_user(make.user("eve", is_staff=True)), {}) == {}


def test_one_that_this_release_can_not_read_is_written_and_made_anew() -> None:
    applied()
    Channel.objects.update(version=99)
    text = channel_files.export(SYSTEM, {})["ops-pager"]
    assert "secret: {kept: true}" in text
    assert applied() == ["change"]
    assert Channel.objects.get().version < 99


def test_the_file_of_a_team_that_is_gone_does_not_stop_an_export() -> None:
    assert channel_files.export(SYSTEM, {"pager": TEXT.replace("team: ops", "team: gone")}) == {}
