"""Watching: who hears of a change, and of what went down or came back."""

import time

import pytest
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import dashboards, heartbeats, runs, watches
from metrics.heartbeat import Ping, Signal
from metrics.models import Notification, Source, Watch
from metrics.sample import Sample
from metrics.sources.base import SourceError
from metrics.sources.host import Host
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def ada() -> User:
    return make.user("ada", is_staff=True)


@pytest.fixture
def bob() -> User:
    return make.user("bob")


def told(user: User) -> list[tuple[str, str, str]]:
    found = Notification.objects.filter(user=user).order_by("number")
    return [(one.kind, one.text, one.about) for one in found]


def test_a_dashboard_that_is_changed_tells_its_watchers_but_for_who_did_it(ada: User, bob: User) -> None:
    shop = make.dashboard()
    for user in (ada, bob):
        watches.watch(of_user(user), "dashboard", str(shop.pk), on=True)
    dashboards.change(of_user(ada), "shop", {"title": "The shop", "slug": "store"}, None)
    dashboards.change(of_user(ada), "store", {"title": "The shop"}, None)
    dashboards.delete(of_user(ada), "store", None)
    changed, deleted = told(bob)
    assert changed[0] == deleted[0] == "change"
    assert changed[1].startswith("ada changed The shop: ")
    assert changed[2] == "/d/store/"
    assert deleted[1:] == ("ada deleted The shop.", "")
    assert told(ada) == []


def test_a_heartbeat_tells_that_it_is_down_and_that_it_is_back(bob: User) -> None:
    backup = heartbeats.create(SYSTEM, "backup", every_s=60, grace_s=0)
    watches.watch(of_user(bob), "heartbeat", str(backup.pk), on=True)
    now = time.time()
    heartbeats.record([heartbeats.Arrived(backup.key, Ping(now, Signal.SUCCESS))])
    for later_s in (3600, 3700):
        heartbeats.evaluate(now + later_s)
    heartbeats.record([heartbeats.Arrived(backup.key, Ping(now + 3800, Signal.SUCCESS))])
    heartbeats.record([heartbeats.Arrived(backup.key, Ping(now + 3810, Signal.FAIL))])
    path = f"/heartbeats/{backup.pk}/"
    assert told(bob) == [
        ("state", "backup is down. Its ping did not come in time.", path),
        ("state", "backup is back. Its ping came.", path),
        ("state", "backup is down. Its job failed.", path),
    ]


def test_a_source_tells_that_it_fails_once_and_that_it_is_back(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make.source()
    watches.watch(of_user(bob), "source", str(source.pk), on=True)
    outcomes = ["", "It broke.", "It broke again.", ""]

    def collect(*_: object) -> list[Sample]:
        if error := outcomes.pop(0):
            raise SourceError(error)
        return [make.sample(at=None)]

    monkeypatch.setattr(Host, "collect", collect)
    for _ in range(4):
        runs.collect(source.pk)
    path = f"/sources/{source.pk}/"
    assert told(bob) == [("state", "machine is failing. It broke.", path), ("state", "machine is back.", path)]


def test_watches_of_what_is_no_more_are_removed(bob: User) -> None:
    shop, source = make.dashboard(), make.source()
    for noun, thing in (("dashboard", shop), ("source", source)):
        watches.watch(of_user(bob), noun, str(thing.pk), on=True)
    dashboards.delete(SYSTEM, "shop", None)
    Source.objects.filter(pk=source.pk).delete()
    watches.forget()
    assert [one.noun for one in Watch.objects.all()] == ["dashboard"], "one that can be restored is watched then"
    assert not watches.is_watching(bob.pk, source)
