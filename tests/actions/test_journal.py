"""The journal: everything that somebody does is an entry, in the same transaction, and no secret is in one."""

import json
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from metrics.access.principal import Principal, Role
from metrics.actions import (
    channels,
    dashboards,
    heartbeats,
    journal,
    links,
    sample_files,
    sources,
    tokens,
)
from metrics.actions.errors import Forbidden, Invalid
from metrics.heartbeat import Ping, Signal
from metrics.models import AuditEntry, Dashboard, Token, Transition
from tests.actions.journaled import ACTIONS, backup, ben, furnished, machine  # noqa: F401
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "furnished")]

VERA = Principal("user", "user vera", Role.VIEWER, 5)
BEN = Principal("user", "user ben", Role.ADMIN)
URL = "http://192.0.2.1/"


@pytest.mark.parametrize("said", ACTIONS)
def test_every_action_is_one_entry_and_none_if_it_is_undone(said: str) -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        ACTIONS[said](ben())
        raise ZeroDivisionError
    assert not AuditEntry.objects.exists()
    with transaction.atomic():
        ACTIONS[said](ben())
    (entry,) = AuditEntry.objects.all()
    named = f"{entry.verb} {entry.noun} {entry.name}".replace(" (push)", "")
    assert named.startswith(said.partition(":")[0])
    assert (entry.by, entry.address) == ("user ben", "192.0.2.7")


def test_what_is_refused_is_no_entry() -> None:
    with pytest.raises(Forbidden):
        sources.change(VERA, machine(), {"every": 30})
    with pytest.raises(Forbidden):
        dashboards.change(VERA, "shop", {"title": "Store"}, None)
    with pytest.raises(Invalid):
        sources.change(BEN, machine(), {"every": 0})
    assert not AuditEntry.objects.exists()


def test_a_change_without_a_difference_is_none() -> None:
    sources.change(BEN, machine(), {"every": 10, "name": "machine"})
    heartbeats.change(BEN, backup(), name="backup")
    assert not AuditEntry.objects.exists()


def test_only_what_differs_is_kept() -> None:
    sources.change(BEN, machine(), {"every": 30, "name": "host"})
    entry = AuditEntry.objects.get()
    assert entry.before == {"every_s": 10, "name": "machine"}
    assert entry.after == {"every_s": 30, "name": "host"}


def test_of_what_is_made_or_removed_everything_is_kept() -> None:
    sources.delete(BEN, machine())
    entry = AuditEntry.objects.get()
    assert entry.after is None
    assert entry.before is not None
    assert entry.before == {"kind": "host", "name": "machine", "every_s": 10, "trusted": True, "enabled": True} | {
        "everyone": True
    }


def test_of_credentials_only_is_said_that_they_were_given() -> None:
    made = sources.create(BEN, "http_check", "site", 60, {"url": URL, "username": "w", "password": "quite secret"})
    sources.change(BEN, made.pk, {"config": {"url": URL, "username": "w", "password": "more secret"}})
    sources.delete(BEN, made.pk)
    written = list(AuditEntry.objects.order_by("id").values("before", "after"))
    assert "secret" not in json.dumps(written)
    assert written[0]["after"]
    assert written[0]["after"]["credentials"] == ["password"]
    assert written[1]["after"] == {"credentials_given": ["password"]}


def test_neither_is_a_key_in_an_address_or_in_a_header() -> None:
    where, key = "http://192.0.2.1/a", "quite-secret"
    config = {"url": f"{where}?api_key={key}", "headers": {"X-Api-Key": key}}
    made = sources.create(BEN, "http_check", "site", 60, config)
    for changed in ({"headers": {"X-Api-Key": f"{key}-2"}}, {"url": f"{where}?api_key={key}-3"}, {"url": where}):
        config |= changed
        sources.change(BEN, made.pk, {"config": config})
    sources.delete(BEN, made.pk)
    hook = {"url": f"http://192.0.2.1/{key}", "secret": "x" * 20, "headers": {"X-Key": key}}
    channel = channels.create(BEN, "webhook", "hook", hook, "")
    channels.change(BEN, channel.pk, {"config": {**hook, "url": f"http://192.0.2.1/{key}-2"}})
    written = list(AuditEntry.objects.order_by("id").values("before", "after"))
    assert key not in json.dumps(written)
    assert written[0]["after"]["config.url"] == where  # type: ignore[index]
    assert written[0]["after"]["config.headers"] == ["X-Api-Key"]  # type: ignore[index]
    unshown = "changed, but not shown"
    assert [one["after"] for one in written[1:4]] == [
        {unshown: ["config.headers"]}, {unshown: ["config.url"]}, {unshown: ["config.url"]}
    ]  # fmt: skip
    assert written[6]["after"] == {"credentials_given": ["secret"], unshown: ["config.url"]}


def test_neither_a_token_nor_the_key_of_a_heartbeat_is_in_it() -> None:
    secret, key = tokens.create(BEN, "other", "admin"), backup().key
    _, of_link = links.create(BEN, "shop", "lobby")
    heartbeats.rotate(BEN, backup())
    heartbeats.delete(BEN, backup())
    text = json.dumps(list(AuditEntry.objects.values("name", "thing", "before", "after")))
    assert secret not in text
    assert of_link not in text
    assert key not in text
    assert Token.digest_of(secret) not in text


@pytest.mark.django_db(transaction=True)
def test_it_is_written_in_a_transaction_only() -> None:
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError):
        journal.record(BEN, "change", Dashboard.objects.get())
    with pytest.raises(RuntimeError):
        journal.moved([])


class TestTransitions:
    @staticmethod
    def moved() -> list[tuple[Any, ...]]:
        rows = Transition.objects.order_by("id")
        return [(one.noun, one.name, one.before, one.after, one.at.timestamp(), one.why) for one in rows]

    def test_of_a_heartbeat_are_written_with_its_pings(self) -> None:
        key = backup().key
        for at, signal, status in (
            (AT, Signal.SUCCESS, None),
            (AT + 60, Signal.SUCCESS, None),
            (AT + 70, Signal.FAIL, 3),
        ):
            heartbeats.record([heartbeats.Arrived(key, Ping(at, signal, status, "", ""))])
        assert self.moved() == [
            ("heartbeat", "backup", "new", "up", AT, "Its ping came."),
            ("heartbeat", "backup", "up", "down", AT + 70, "Its job ended with exit code 3."),
        ]

    def test_a_ping_that_does_not_come_is_one(self) -> None:
        heartbeats.record([heartbeats.Arrived(backup().key, Ping(AT, Signal.SUCCESS, None, "", ""))])
        for now in (AT + 60, AT + 70, AT + 80, AT + 400, AT + 500):
            heartbeats.evaluate(now)
        assert [row[2:4] for row in self.moved()] == [("new", "up"), ("up", "late"), ("late", "down")]
        assert all(one.processed_at is None for one in Transition.objects.all())

    def test_pausing_is_one_and_pausing_again_is_none(self) -> None:
        for _ in range(2):
            heartbeats.pause(BEN, backup())
        assert [(row[2], row[3], row[5]) for row in self.moved()] == [("new", "paused", "user ben paused it.")]


def test_commands_write_entries_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: "a-long-new-one")
    monkeypatch.setattr("getpass.getuser", lambda: "ben")
    for names in (["ada"], []):
        call_command("changepassword", *names, stdout=StringIO())
    call_command("createsuperuser", "--no-input", username="eve", email="", verbosity=0)
    list(sample_files.import_lines(['{"metric": "m", "value": 1, "at": 1}'], "jsonl", "old.jsonl", AT))
    found = [(one.by, one.verb, one.noun, one.name) for one in AuditEntry.objects.order_by("id")]
    assert found == [
        ("watchfloor", "change password", "user", "ada"),
        ("watchfloor", "change password", "user", "ben"),
        ("watchfloor", "create", "user", "eve"),
        ("watchfloor", "import", "source", "import: old.jsonl"),
    ]
