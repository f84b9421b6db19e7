"""Web Push: who subscribed, who is pushed what, what is tried again, and the key."""

from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import account, notification_settings, notifications, web_push
from metrics.actions.errors import Forbidden, Invalid
from metrics.models import AuditEntry, Notification, NotificationSettings, PushSubscription, VapidKey
from metrics.notify.web_push import Browser, Message, Outcome, _point, decoded, encoded
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

P256DH = encoded(_point(ec.generate_private_key(ec.SECP256R1()).public_key()))
AUTH = "A" * 22


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Requests to workers to push: ids, tries before, seconds to wait."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr("metrics.redis_state.pushing.ask", lambda *given: found.append(given))
    web_push.prepare_key()
    return found


@pytest.fixture
def ada() -> User:
    return make.user("ada")


def subscribe(user: User, name: str = "a") -> PushSubscription:
    return web_push.subscribe(of_user(user), f"https://push.example/{name}", P256DH, AUTH, "Firefox on Linux")


def answers(monkeypatch: pytest.MonkeyPatch, **outcomes: Outcome) -> list[tuple[str, str]]:
    """Have push services answer by the last part of the endpoint; return what they are sent: endpoint and text."""
    sent: list[tuple[str, str]] = []

    def send(jobs: Sequence[tuple[Browser, Message]], *_: object) -> list[Outcome]:
        sent.extend((browser.endpoint[-1], message.text) for browser, message in jobs)
        return [outcomes[browser.endpoint[-1]] for browser, _ in jobs]

    monkeypatch.setattr(web_push, "send", send)
    return sent


def test_a_browser_is_somebodys_and_the_journal_has_no_keys_of_it(ada: User) -> None:
    bob = make.user("bob")
    subscribe(ada)
    subscribe(ada)
    assert [one.user for one in PushSubscription.objects.all()] == [ada]
    subscribe(bob)
    assert [one.user for one in PushSubscription.objects.all()] == [bob], "who signed in there later"
    assert not web_push.unsubscribe(of_user(ada), endpoint="https://push.example/a")
    assert web_push.unsubscribe(of_user(bob), endpoint="https://push.example/a")
    subscribe(bob, "b")
    assert web_push.unsubscribe(of_user(bob), PushSubscription.objects.get().pk)
    entries = AuditEntry.objects.order_by("pk")
    assert [(one.by, one.verb, one.name) for one in entries] == [
        ("user ada", "create", "Firefox on Linux"),
        ("user bob", "delete", "Firefox on Linux"),
        ("user bob", "create", "Firefox on Linux"),
        ("user bob", "delete", "Firefox on Linux"),
    ]
    assert all(not one.before and not one.after for one in entries)


def test_who_signs_out_everywhere_or_changes_the_password_subscribes_anew(ada: User) -> None:
    """Also where a password is changed in a shell, or taken away, or the account is turned off."""
    bob = make.user("bob")

    def save(**fields: Any) -> None:
        for name, value in fields.items():
            setattr(ada, name, value)
        ada.save()

    def another_password() -> None:
        ada.set_password("another-long-one")
        ada.save(update_fields=["password"])

    for forget in (
        lambda: account.end(SYSTEM, ada),
        another_password,
        lambda: save(password=make_password(None)),
        lambda: save(is_active=False),
    ):
        save(password=make_password("first"), is_active=True)
        subscribe(ada, "a")
        subscribe(bob, "b")
        save(first_name="Ada")
        assert PushSubscription.objects.count() == 2
        forget()
        assert [one.user for one in PushSubscription.objects.all()] == [bob]


def test_what_can_not_be_subscribed_is_refused(ada: User) -> None:
    for endpoint, p256dh, auth, field in (
        ("http://push.example/a", P256DH, AUTH, "endpoint"),
        ("https://push.example/a", "x", AUTH, "p256dh"),
        ("https://push.example/a", P256DH, "x", "auth"),
    ):
        with pytest.raises(Invalid) as refused:
            web_push.subscribe(of_user(ada), endpoint, p256dh, auth, "x")
        assert refused.value.field == field
    with pytest.raises(Forbidden):
        web_push.subscribe(SYSTEM, "https://push.example/a", P256DH, AUTH, "x")
    for name in map(str, range(25)):
        subscribe(ada, name)
    assert len(web_push.subscriptions(ada.pk)) == web_push.BROWSERS_MOST


def test_who_subscribed_is_pushed_the_kinds_they_chose(ada: User, asked: list[tuple[Any, ...]]) -> None:
    bob = make.user("bob")
    notifications.notify(SYSTEM, "everyone", "message", "nobody subscribed")
    for user in (ada, bob):
        subscribe(user, user.username)
    assert NotificationSettings.objects.get(user=bob).pushed_kinds == list(notification_settings.KINDS)
    notification_settings.choose(of_user(ada), ["deploy"], ["deploy"])
    notifications.notify(SYSTEM, "everyone", "message", "for bob")
    notifications.notify(SYSTEM, "user:ada", "deploy", "ada never had one of this kind")
    notification_settings.choose(of_user(ada), ["deploy"], ["deploy"])
    notifications.notify(SYSTEM, "everyone", "deploy", "for ada")
    texts = [sorted(Notification.objects.get(pk=id).text for id in ids) for ids, *_ in asked]
    assert texts == [["for bob"], ["for ada"]]


def test_each_browser_is_sent_it_once_and_what_failed_again(
    ada: User, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        subscribe(ada, name)
    notifications.notify(SYSTEM, "user:ada", "message", "x", "/d/shop/")
    ((ids, tried, _),) = asked
    asked.clear()
    kinds = {"a": Outcome.SENT, "b": Outcome.LATER, "c": Outcome.GONE, "d": Outcome.REFUSED}
    sent = answers(monkeypatch, **kinds)
    web_push.deliver(ids, tried)
    assert sorted(sent) == [(name, "x") for name in "abcd"]
    assert sorted(one.endpoint[-1] for one in PushSubscription.objects.all()) == ["a", "b", "d"]
    assert asked == [(ids, 1, 30)]
    sent.clear()
    web_push.deliver(ids, web_push.TRIES - 1)
    assert sorted(name for name, _ in sent) == ["b", "d"]
    assert len(asked) == 1, "that was the last try"
    notifications.mark_read(ada.pk)
    sent.clear()
    web_push.deliver(ids, 0)
    assert sent == [], "it is read meanwhile"


def test_the_key_is_sealed_and_follows_the_secret_key(ada: User, settings: Any) -> None:
    row = VapidKey.objects.get()
    key = web_push._key()
    assert key is not None
    assert len(decoded(key.private)) == 32
    assert key.private not in row.sealed
    subscribe(ada)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    web_push.prepare_key()
    settings.SECRET_KEY_FALLBACKS = []
    assert web_push._key() == key
    assert VapidKey.objects.get().sealed != row.sealed
    assert PushSubscription.objects.exists()
    settings.SECRET_KEY = "a third"
    assert web_push._key() is None
    web_push.prepare_key()
    assert web_push.public_key() != key.public
    assert not PushSubscription.objects.exists(), "they were made for the key that is lost"
