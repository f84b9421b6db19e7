"""The pages of channels: made by a form, tested, read, changed and removed."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.access.principal import SYSTEM
from metrics.actions import channels, deliveries
from metrics.models import Channel, Delivery
from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Message
from metrics.redis_state import delivering
from tests import make
from tests.html_form import chosen_from, form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SECRET = "correct horse battery"
TYPED = {
    "channel-name": "chat",
    "channel-enabled": "on",
    "config-url": "https://hook.example.com/in",
    "config-secret": SECRET,
    "config-verify": "on",
    "config-timeout_s": "10",
}


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "ask", lambda ids: None)


def page(client: Client, path: str, status: int = 200, *, part: bool = False) -> str:
    answer = client.get(path, headers={"HX-Request": "true"} if part else {})
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize("typed", ["second", "-1", "²", pytest.param("9" * 5000, id="too long")])
def test_a_position_that_is_no_number_is_said(client: Client, typed: str) -> None:
    client.force_login(make.user(is_superuser=True))
    answer = client.post("/channels/new/?kind=webhook", {**TYPED, "channel-position": typed})
    assert answer.status_code == 422
    assert f"&#x27;{typed[:20]}&#x27; is no whole number." in answer.content.decode()
    assert not Channel.objects.exists()


def test_a_channel_is_made_changed_and_removed_by_forms() -> None:
    client = Client()
    client.force_login(make.admin())
    assert "There are no channels yet" in page(client, "/channels/")
    chosen = chosen_from(page(client, "/channels/new/"))
    assert chosen == ["To people", "mail", "apprise", "To programs", "webhook"]
    assert "Signs each message" in page(client, "/channels/new/?kind=webhook")
    refused = client.post("/channels/new/?kind=webhook", {**TYPED, "config-url": "ftp://x"})
    assert refused.status_code == 422
    assert SECRET not in refused.content.decode()
    assert client.post("/channels/new/?kind=webhook", TYPED).status_code == 302
    made = Channel.objects.get()
    assert (made.name, made.team, made.config) == ("chat", None, {"url": "https://hook.example.com/in"})
    shown = (
        page(client, f"/channels/{made.pk}/") + page(client, "/channels/") + page(client, f"/channels/{made.pk}/edit/")
    )
    assert "https://hook.example.com/in" in shown
    assert SECRET not in shown
    typed = {
        **TYPED,
        "channel-name": "chat room",
        "channel-fallback": "on",
        "channel-position": "3",
        "config-secret": "",
    }
    edited = client.post(f"/channels/{made.pk}/edit/", typed)
    assert edited.status_code == 302, edited.content.decode()
    made.refresh_from_db()
    assert (made.name, made.fallback, made.position, channels.facts(made)["credentials"]) == (
        "chat room",
        True,
        3,
        ["secret"],
    )
    assert "Nobody is told through it" in page(client, f"/channels/{made.pk}/delete/")
    assert client.post(f"/channels/{made.pk}/delete/").status_code == 302
    assert not Channel.objects.exists()


def test_a_channel_is_made_to_hear_of_things_in_digests_by_its_form() -> None:
    client = Client()
    client.force_login(make.admin())
    path = "/channels/new/?kind=webhook"
    typed = {**form(page(client, path), path), **TYPED}
    assert client.post(path, typed).status_code == 302
    made = Channel.objects.get()
    assert made.digest is None, "the form as it is asks for none"
    path = f"/channels/{made.pk}/edit/"
    typed = {**form(page(client, path), path), "channel-digest-at": "08:00\n17:00"}
    typed["channel-digest-time_zone"] = "Asia/Kathmandu"
    answer = client.post(path, {**typed, "channel-digest-every": "1h"})
    assert (answer.status_code, "either times of the day" in answer.content.decode()) == (422, True)
    assert client.post(path, typed).status_code == 302
    made.refresh_from_db()
    assert made.digest == {"at": ["08:00", "17:00"], "time_zone": "Asia/Kathmandu"}
    assert "hears of info and warning in a digest, at 08:00 and 17:00 Asia/Kathmandu." in page(
        client, f"/channels/{made.pk}/"
    )
    with transaction.atomic():
        said = Message("Disk full", "firing", "one", time.time(), severity="info")
        deliveries.queue([made], said, at=time.time())
    assert "It goes with the digest of" in page(client, f"/channels/{made.pk}/", part=True)
    typed = {**form(page(client, path), path), "channel-digest-at": ""}
    assert client.post(path, typed).status_code == 302
    made.refresh_from_db()
    assert made.digest is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Receipt("hook answered 200 OK.", "1"), "The test was sent. hook answered 200 OK."),
        (ChannelError("hook <b> answered 404."), "The test failed. hook &lt;b&gt; answered 404."),
    ],
)
def test_a_test_shows_what_came_of_it(
    answer: Receipt | ChannelError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(job: Any) -> Receipt:
        if isinstance(answer, ChannelError):
            raise answer
        return answer

    monkeypatch.setattr(deliveries, "send", send)
    client = Client()
    client.force_login(make.admin())
    config = {"url": "https://hook.example.com", "secret": SECRET}
    made = channels.create(SYSTEM, "webhook", "chat", config)
    part = client.post(f"/channels/{made.pk}/test/", headers={"HX-Request": "true"}).content.decode()
    assert "The test is on its way." in part
    deliveries.deliver(Delivery.objects.get().pk, time.time())
    assert said in page(client, f"/channels/{made.pk}/", part=True)
    assert "chat works" in page(client, "/channels/")


def test_editors_make_those_of_their_teams_and_viewers_none() -> None:
    editor, viewer = make.user("ed", is_staff=True), make.user("vic")
    make.team("ops", editor, viewer)
    make.team("night")
    client = Client()
    client.force_login(editor)
    form = page(client, "/channels/new/?kind=webhook")
    assert "<option>ops</option>" in form
    assert "night" not in form
    assert "The installation" not in form
    assert client.post("/channels/new/?kind=webhook", {**TYPED, "team": "night"}).status_code == 403
    assert client.post("/channels/new/?kind=webhook", {**TYPED, "team": "ops"}).status_code == 302
    client.force_login(viewer)
    page(client, "/channels/", 403)
    page(client, f"/channels/{Channel.objects.get().pk}/", 404)


def test_the_list_asks_no_more_for_more_channels() -> None:
    """Of each it shows the newest of what was sent, and how many failed in the last days."""
    now = timezone.now()
    client = Client()
    client.force_login(make.admin())

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, "/channels/")
        return len(queries)

    def filled(name: str) -> None:
        channel = channels.create(SYSTEM, "webhook", name, {"url": "https://hook.example.com", "secret": SECRET})
        channels.test(SYSTEM, channel.pk)
        document = Delivery.objects.get(channel=channel).document
        for number, (state, days) in enumerate([("failed", 8), ("failed", 2), ("failed", 1), ("sent", 0)]):
            made = {"created_at": now - timedelta(days=days), "next_at": now, "state": state, "key": f"{number}"}
            Delivery.objects.create(channel=channel, document=document, **made)

    asked()
    filled("one")
    few = asked()
    for name in ("two", "three", "four"):
        filled(name)
    assert asked() == few
    shown = page(client, "/channels/")
    assert shown.count('class="figure">2</td>') == 4
    assert shown.count("source-status-ok") == 4
