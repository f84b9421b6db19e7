"""Notifications: who is told, once for a key, what is unread, and every tab of a person."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM, Principal, Role
from metrics.actions import notifications
from metrics.actions.errors import Forbidden, Invalid
from metrics.live import bus
from metrics.models import Notification
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The elements that were sent to people: user and target."""
    found: list[tuple[int, str]] = []
    monkeypatch.setattr(bus, "send_to", lambda user, target, swap, html: found.append((user, target)))
    return found


@pytest.fixture
def people() -> dict[str, User]:
    made = {name: make.user(name) for name in ("ada", "bob", "eve")}
    make.user("gone", is_active=False).groups.add(make.team("ops", made["ada"], made["bob"]))
    return made


@pytest.mark.parametrize(
    ("to", "told"), [("user:ada", ["ada"]), ("team:ops", ["ada", "bob"]), ("everyone", ["ada", "bob", "eve"])]
)
def test_who_is_told(people: dict[str, User], rung: list[tuple[int, str]], to: str, told: list[str]) -> None:
    assert notifications.notify(SYSTEM, to, "deploy", "Shop 1.2 is out", "/d/shop/") == len(told)
    assert [one.user.username for one in Notification.objects.order_by("pk")] == told
    assert {user for user, _ in rung} == {people[name].pk for name in told}
    assert {target for _, target in rung} == {"toasts", "bell"}


def test_nobody_is_told_twice_with_the_same_key(people: dict[str, User]) -> None:
    for to in ("user:ada", "everyone", "everyone"):
        notifications.notify(SYSTEM, to, "deploy", "x", key="k-1")
    assert Notification.objects.count() == 3
    notifications.notify(SYSTEM, "user:ada", "deploy", "x")
    notifications.notify(SYSTEM, "user:ada", "deploy", "x")
    assert [one.number for one in notifications.newest(people["ada"].pk)] == [3, 2, 1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": "ada"}, "to"),
        ({"to": "user:"}, "to"),
        ({"to": "user:nobody"}, "to"),
        ({"to": "user:gone"}, "to"),
        ({"to": "team:none"}, "to"),
        ({"text": " "}, "text"),
        ({"text": "x" * 1001}, "text"),
        ({"text": "a\x00"}, "text"),
        ({"about": "https://elsewhere.example/"}, "about"),
        ({"about": "//elsewhere.example/"}, "about"),
        ({"about": "javascript:alert(1)"}, "about"),
        ({"key": "x" * 101}, "key"),
    ],
)
def test_what_can_not_be_is_refused(people: dict[str, User], changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=r"\.$") as refused:
        notifications.notify(SYSTEM, **{"to": "user:ada", "kind": "deploy", "text": "x", **changes})
    assert (refused.value.field, Notification.objects.count()) == (field, 0)


def test_viewers_tell_nobody(people: dict[str, User]) -> None:
    with pytest.raises(Forbidden, match="only editors and administrators may create notifications"):
        notifications.notify(Principal("user", "user eve", Role.VIEWER, 7), "everyone", "x", "x")


def test_what_is_read_counts_no_more(people: dict[str, User], rung: list[tuple[int, str]]) -> None:
    ada = people["ada"].pk
    for n in range(3):
        notifications.notify(SYSTEM, "everyone", "deploy", str(n))
    rung.clear()
    notifications.mark_read(ada, 2)
    assert (notifications.unread(ada), rung) == (2, [(ada, "bell")])
    notifications.mark_read(ada, 2)
    assert rung == [(ada, "bell")], "nothing changed"
    notifications.mark_read(ada)
    assert (notifications.unread(ada), notifications.unread(people["bob"].pk)) == (0, 3)


def test_old_ones_are_removed(people: dict[str, User]) -> None:
    notifications.notify(SYSTEM, "user:ada", "deploy", "x")
    at = Notification.objects.get().at
    notifications.forget((at + timedelta(days=90)).timestamp())
    assert Notification.objects.exists()
    notifications.forget((at + timedelta(days=90, seconds=1)).timestamp())
    assert not Notification.objects.exists()
