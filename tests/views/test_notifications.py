"""Pages of notifications: the list and the panel, what opening a page reads, settings, watching."""

import re
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import heartbeats, notifications
from metrics.models import Notification, NotificationSettings, PushSubscription, Watch
from metrics.notify.web_push import _point, encoded
from tests import make
from tests.views.test_talk import HTMX, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

P256DH = encoded(_point(ec.generate_private_key(ec.SECP256R1()).public_key()))


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer() -> Client:
    return browser(make.user("ada"))


@pytest.fixture
def editor() -> Client:
    return browser(make.user("eve", is_staff=True))


def tell(what: str = "Deployed.", kind: str = "message", about: str = "") -> None:
    notifications.notify(SYSTEM, "user:ada", kind, what, about)


class TestList:
    def test_older_ones_come_by_scrolling_or_are_a_page_away(self, viewer: Client) -> None:
        for n in range(60):
            tell(f"number {n}")
        page = text(viewer.get("/notifications/"))
        assert 'hx-get="/notifications/?before=11" hx-trigger="revealed"' in page
        assert '<a class="quiet" href="/notifications/?before=11">Older</a>' in page
        for is_part in (False, True):
            page = text(viewer.get("/notifications/?before=11", headers=HTMX if is_part else {}))
            assert re.findall(r'id="notification-(\d+)"', page) == [str(n) for n in range(10, 0, -1)]
            assert ">Older<" not in page
            assert ("<html" in page) is not is_part

    def test_htmx_gets_the_list_again_as_far_as_it_is_shown_and_of_its_kind(self, viewer: Client) -> None:
        for n in range(60):
            tell(f"number {n}", kind=("a", "b")[n % 2])
        assert viewer.get("/notifications/?kind=%00&before=x&least=%C2%B2").status_code == 200
        page = text(viewer.get("/notifications/?kind=a"))
        assert 'hx-get="/notifications/?kind=a" hx-trigger="opened, rung from:document"' in page
        part = text(viewer.get("/notifications/?kind=a&least=50&least=5", headers=HTMX))
        assert "<html" not in part
        assert re.findall(r'id="notification-(\d+)"', part) == [str(n) for n in range(59, 0, -2)]
        assert '<input type="hidden" name="least" value="1">' in part
        part = text(viewer.post("/notifications/read/", {"kind": "a"}, headers=HTMX))
        assert "Mark read" not in part
        assert Notification.objects.filter(read_at=None).count() == 30
        assert viewer.post("/notifications/read/", {"kind": "b"})["Location"] == "/notifications/?kind=b"
        assert not Notification.objects.filter(read_at=None).exists()

    @pytest.mark.parametrize(
        ("path", "headers", "unread"),
        [
            ("/d/shop/?range=1h", {}, 1),
            ("/d/shop/", HTMX, 2),
            ("/d/shop/", {"Sec-Purpose": "prefetch;prerender"}, 2),
            ("/wall/shop/", {}, 2),
            ("/d/shop/edit/", {}, 2),
            ("/d/%00/", {}, 2),
        ],
    )
    def test_opening_a_page_reads_what_is_about_it(
        self, viewer: Client, path: str, headers: dict[str, str], unread: int
    ) -> None:
        make.dashboard("shop")
        tell(about="/d/shop/")
        tell(about="/d/shop-2/")
        page = text(viewer.get(path, headers=headers))
        assert Notification.objects.filter(read_at=None).count() == unread
        if unread == 1:
            assert 'data-unread="1"' in page, "the page counts it already"

    def test_settings_are_ones_own_and_say_what_is_wrong(self, viewer: Client, editor: Client) -> None:
        tell(kind="backup_done")
        page = text(viewer.get("/account/notifications/"))
        assert "Backup done" in page
        assert "Backup done" not in text(editor.get("/account/notifications/"))
        typed = {
            "shown": ["mention", "nonsense"],
            "pushed": ["backup_done"],
            "quiet_from": "22:00",
            "quiet_until": "07:30",
            "time_zone": "Asia/Kathmandu",
        }
        assert viewer.post("/account/notifications/", typed)["Location"] == "/account/notifications/"
        row = NotificationSettings.objects.get()
        assert (row.user.username, row.time_zone, str(row.quiet_from)) == ("ada", "Asia/Kathmandu", "22:00:00")
        assert row.silent_kinds == ["alert", "direct", "change", "state", "channel", "message", "backup_done"]
        assert row.pushed_kinds == ["backup_done"]
        for change, said in (
            ({"quiet_until": ""}, "Quiet hours have both a beginning and an end."),
            ({"quiet_until": "22:00"}, "Quiet hours end at another time than they begin."),
            ({"quiet_from": "soon"}, "Enter a valid time."),
            ({"time_zone": "Moon/Base"}, "Select a valid choice."),
        ):
            response = viewer.post("/account/notifications/", {**typed, **change})
            assert response.status_code == 422
            assert said in text(response)
        assert NotificationSettings.objects.get().pushed_kinds == ["backup_done"]


class TestWebPush:
    KEYS: ClassVar = {"endpoint": "https://push.example/a", "p256dh": P256DH, "auth": "A" * 22}

    def test_a_browser_is_subscribed_and_removed(self, viewer: Client, editor: Client) -> None:
        path = "/account/notifications/"
        agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
        assert viewer.post(f"{path}subscribe/", self.KEYS, headers=agent).status_code == 204
        made = PushSubscription.objects.get()
        page = text(viewer.get(path))
        assert f'<tr data-digest="{made.digest}"><td>Firefox on Linux</td>' in page
        assert made.digest not in text(editor.get(path))
        editor.post(f"{path}unsubscribe/", {"id": made.pk})
        editor.post(f"{path}unsubscribe/", {"endpoint": self.KEYS["endpoint"]})
        for nonsense in ("", "x", "²", "9" * 30):
            assert viewer.post(f"{path}unsubscribe/", {"id": nonsense})["Location"] == path
        assert PushSubscription.objects.exists()
        assert viewer.post(f"{path}unsubscribe/", {"endpoint": self.KEYS["endpoint"]}).status_code == 204
        assert not PushSubscription.objects.exists()

    def test_what_is_none_gets_a_sentence(self, viewer: Client) -> None:
        response = viewer.post("/account/notifications/subscribe/", {**self.KEYS, "auth": "x"})
        assert (response.status_code, text(response)) == (422, "auth: it is not 16 bytes.")
        assert Client().post("/account/notifications/subscribe/", self.KEYS).status_code == 302
        assert not PushSubscription.objects.exists()

    def test_its_worker_is_served_at_the_root(self) -> None:
        response = Client().get("/sw.js")
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        assert "notificationclick" in text(response)


class TestWatching:
    def test_what_one_sees_one_may_watch(self, viewer: Client) -> None:
        shop, source = make.dashboard("shop"), make.source()
        backup = heartbeats.create(SYSTEM, "backup", every_s=60)
        for thing, path in (
            (shop, "/d/shop/"),
            (source, f"/sources/{source.pk}/"),
            (backup, f"/heartbeats/{backup.pk}/"),
        ):
            noun = str(thing._meta.model_name)
            assert 'aria-pressed="false"' in text(viewer.get(path))
            assert viewer.post("/watch/", {"noun": noun, "thing": thing.pk})["Location"] == path
            assert 'aria-pressed="true"' in text(viewer.get(path))
            part = text(viewer.post("/watch/", {"noun": noun, "thing": thing.pk, "on": "0"}, headers=HTMX))
            assert 'aria-pressed="false"' in part
            assert "<html" not in part
        assert not Watch.objects.exists()

    @pytest.mark.parametrize(
        ("noun", "thing", "status"),
        [
            ("dashboard", "99", 404),
            ("dashboard", "²", 404),
            ("user", "1", 404),
            ("", "", 404),
            ("dashboard", "{}", 404),
        ],
    )
    def test_nothing_else(self, viewer: Client, noun: str, thing: str, status: int) -> None:
        hidden = make.dashboard("shop", teams=[make.team("others")])
        typed = {"noun": noun, "thing": thing.format(hidden.pk)}
        assert viewer.post("/watch/", typed).status_code == status
        assert not Watch.objects.exists()
