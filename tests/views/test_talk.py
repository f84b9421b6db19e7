"""The pages of rooms and notifications, the bell, and the toasts."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import messages, notifications, rooms
from metrics.models import AuditEntry, Message, Notification, Room
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

BOLD = "<b>x</b>"
ESCAPED = "&lt;b&gt;x&lt;/b&gt;"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def everyone() -> dict[str, Client]:
    """A browser of each role; the editor and the viewer are in no team."""
    made = {"administrator": make.admin(), "editor": make.user("eve", is_staff=True), "viewer": make.user("ada")}
    browsers = {"nobody": Client()}
    for role, user in made.items():
        browsers[role] = Client()
        browsers[role].force_login(user)
    return browsers


@pytest.fixture
def viewer(everyone: dict[str, Client]) -> Client:
    return everyone["viewer"]


@pytest.fixture
def editor(everyone: dict[str, Client]) -> Client:
    return everyone["editor"]


ROLES = ("nobody", "viewer", "editor", "administrator")


def text(response: Any) -> str:
    return str(response.content.decode())


def tell(what: str = "Deployed.", to: str = "user:ada", **more: str) -> None:
    notifications.notify(SYSTEM, to, "message", what, **more)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/rooms/", (302, 200, 200, 200)),
        ("/rooms/{open}/", (302, 200, 200, 200)),
        ("/rooms/{open}/?before=1", (302, 200, 200, 200)),
        ("/rooms/{open}/?before=nonsense", (302, 200, 200, 200)),
        ("/rooms/{open}/delete/", (302, 403, 200, 200)),
        ("/rooms/{teams}/", (302, 404, 404, 200)),
        ("/rooms/{teams}/delete/", (302, 404, 404, 200)),
        ("/rooms/987654321/", (302, 404, 404, 404)),
        ("/notifications/", (302, 200, 200, 200)),
        ("/notifications/?before=1", (302, 200, 200, 200)),
        ("/notifications/?before=nonsense", (302, 200, 200, 200)),
        ("/notifications/read/", (405, 405, 405, 405)),
    ],
)
def test_a_page_opens_for_those_whom_it_is_for(
    everyone: dict[str, Client], path: str, statuses: tuple[int, ...]
) -> None:
    make.team("ops")
    ids = {"open": rooms.create(SYSTEM, "Open").pk}
    ids["teams"] = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]}).pk
    assert tuple(everyone[role].get(path.format(**ids)).status_code for role in ROLES) == statuses


@pytest.mark.parametrize(
    ("path", "typed", "statuses"),
    [
        ("/rooms/", {"title": "New"}, (302, 403, 302, 302)),
        ("/rooms/{open}/", {"text": "hello"}, (302, 302, 302, 302)),
        ("/rooms/{teams}/", {"text": "hello"}, (302, 404, 404, 302)),
        ("/rooms/{open}/delete/", {}, (302, 403, 302, 404)),
        ("/notifications/read/", {}, (302, 302, 302, 302)),
    ],
)
def test_a_post_is_taken_from_those_who_may(
    everyone: dict[str, Client], path: str, typed: dict[str, str], statuses: tuple[int, ...]
) -> None:
    make.team("ops")
    ids = {"open": rooms.create(SYSTEM, "Open").pk}
    ids["teams"] = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]}).pk
    path = path.format(**ids)
    for role, status in zip(ROLES, statuses, strict=True):
        before = AuditEntry.objects.count() + Message.objects.count()
        response = everyone[role].post(path, typed)
        assert (role, response.status_code) == (role, status)
        if role == "nobody":
            assert response["Location"] == f"/sign-in/?next={path}"
        if status in (403, 404) or role == "nobody":
            assert AuditEntry.objects.count() + Message.objects.count() == before


@pytest.mark.parametrize("path", ["/rooms/", "/rooms/{room}/", "/rooms/{room}/delete/", "/notifications/read/"])
def test_a_form_of_another_site_is_refused(everyone: dict[str, Client], path: str) -> None:
    room = rooms.create(SYSTEM, "Open")
    tell(to="everyone")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="root"))
    assert browser.post(path.format(room=room.pk), {"title": "x", "text": "x"}).status_code == 403
    assert (Room.objects.count(), Message.objects.count()) == (1, 0)
    assert not Notification.objects.exclude(read_at=None).exists()


class TestRoom:
    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("", "This field is required."),
            ("   ", "This field is required."),
            ("x" * 101, "at most 100 characters (it has 101)"),
            ("a\x00b", "Null characters are not allowed."),
        ],
    )
    def test_a_title_that_can_not_be_gets_a_sentence(self, editor: Client, typed: str, said: str) -> None:
        response = editor.post("/rooms/", {"title": typed})
        assert response.status_code == 422
        beside = re.search(r'<span class="field-error" id="id_title_error">([^<]*)</span>', text(response))
        assert beside
        assert said in beside[1]
        assert not Room.objects.exists()

    @pytest.mark.parametrize("typed", ["", " \r\n ", "x" * 4001, "a\x00b"])
    def test_a_message_that_can_not_be_gets_a_sentence_and_stays_in_its_field(self, viewer: Client, typed: str) -> None:
        room = rooms.create(SYSTEM, "Open")
        response = viewer.post(f"/rooms/{room.pk}/", {"text": typed})
        assert response.status_code == 422
        beside = re.search(r'<span class="field-error" role="alert" data-refused>([^<]+)</span>', text(response))
        assert beside
        assert re.match(r"A message has 1 to 4000 characters\.|It has a character that can", beside[1])
        assert response.context["typed"] == typed.replace("\r\n", "\n")
        assert not Message.objects.exists()

    def test_the_end_of_a_line_is_one_character_though_forms_send_two(self, viewer: Client) -> None:
        room = rooms.create(SYSTEM, "Open")
        assert viewer.post(f"/rooms/{room.pk}/", {"text": "x\r\n" * 1999 + "xy"}).status_code == 302
        assert len(Message.objects.get().text) == 4000

    def test_its_script_gets_an_answer_without_a_page_and_is_told_to_sign_in(self, viewer: Client) -> None:
        room = rooms.create(SYSTEM, "Open")
        for _ in range(2):
            response = viewer.post(f"/rooms/{room.pk}/", {"text": "hello", "client_id": "c-1"}, headers=HTMX)
            assert (response.status_code, response.content) == (204, b"")
        assert Message.objects.count() == 1
        assert Client().post(f"/rooms/{room.pk}/", {"text": "hello"}, headers=HTMX).status_code == 401
        assert Message.objects.count() == 1

    def test_names_and_messages_are_text(self, everyone: dict[str, Client]) -> None:
        room = rooms.create(SYSTEM, BOLD)
        ada = User.objects.get(username="ada")
        User.objects.filter(pk=ada.pk).update(username=BOLD)
        messages.say(of_user(User.objects.get(pk=ada.pk)), room.pk, f"{BOLD}\nsecond")
        for path in ("/rooms/", f"/rooms/{room.pk}/", f"/rooms/{room.pk}/delete/"):
            page = text(everyone["administrator"].get(path))
            assert BOLD not in page
            assert ESCAPED in page
        page = text(everyone["administrator"].get(f"/rooms/{room.pk}/"))
        assert f"<b>{ESCAPED}</b>" in page
        assert f"<p>{ESCAPED}<br>second</p>" in page

    def test_a_name_loses_only_what_says_that_it_is_a_user(self, viewer: Client) -> None:
        room = rooms.create(SYSTEM, "Open")
        messages.say(SYSTEM, room.pk, "hello")
        Message.objects.update(by="token of a user here")
        assert "<b>token of a user here</b>" in text(viewer.get(f"/rooms/{room.pk}/"))

    def test_older_messages_are_a_page_away_and_the_socket_goes_on_from_the_newest(self, viewer: Client) -> None:
        room = rooms.create(SYSTEM, "Open")
        for n in range(60):
            messages.say(SYSTEM, room.pk, f"message {n}")
        page = text(viewer.get(f"/rooms/{room.pk}/"))
        assert re.findall(r'id="m-(\d+)"', page) == [str(n) for n in range(11, 61)]
        assert f'hx-ws:connect="/ws/rooms/{room.pk}/?after=60"' in page
        assert f'<a class="quiet" href="/rooms/{room.pk}/?before=11" data-older>' in page
        page = text(viewer.get(f"/rooms/{room.pk}/?before=11"))
        assert re.findall(r'id="m-(\d+)"', page) == [str(n) for n in range(1, 11)]
        assert "/ws/rooms/" not in page
        assert "data-older hidden" in page

    def test_it_is_removed_when_somebody_said_yes(self, editor: Client) -> None:
        room = rooms.create(SYSTEM, "Open")
        messages.say(SYSTEM, room.pk, "hello")
        assert "1 message." in text(editor.get(f"/rooms/{room.pk}/delete/"))
        assert Room.objects.exists()
        assert "The room Open was removed." in text(editor.post(f"/rooms/{room.pk}/delete/", follow=True))
        assert not Room.objects.exists()

    def test_a_viewer_is_offered_only_what_they_may_do(self, viewer: Client, editor: Client) -> None:
        room = rooms.create(SYSTEM, "Open")
        offered = [
            ("Open a room" in text(one.get("/rooms/")), "/delete/" in text(one.get(f"/rooms/{room.pk}/")))
            for one in (viewer, editor)
        ]
        assert offered == [(False, False), (True, True)]
        assert "data-say" in text(viewer.get(f"/rooms/{room.pk}/"))


class TestNotifications:
    def test_they_are_ones_own_newest_first_and_text(self, viewer: Client, editor: Client) -> None:
        tell("first")
        tell(BOLD, about="/d/shop/")
        page = text(viewer.get("/notifications/"))
        assert page.index(ESCAPED) < page.index("first")
        assert BOLD not in page
        assert 'href="/d/shop/"' in page
        assert "Nobody has told you anything yet." in text(editor.get("/notifications/"))

    def test_one_is_read_or_all(self, viewer: Client) -> None:
        for n in range(3):
            tell(f"number {n}")
        assert viewer.post("/notifications/read/", {"number": "2"})["Location"] == "/notifications/"
        assert [one.number for one in Notification.objects.filter(read_at=None)] == [3, 1]
        for nonsense in ("99", "9" * 30, "²"):
            viewer.post("/notifications/read/", {"number": nonsense})
            assert Notification.objects.filter(read_at=None).count() == 2
        viewer.post("/notifications/read/")
        assert not Notification.objects.filter(read_at=None).exists()
        assert "Mark all read" not in text(viewer.get("/notifications/"))

    def test_those_of_others_stay_unread(self, viewer: Client, editor: Client) -> None:
        tell()
        editor.post("/notifications/read/", {"number": "1"})
        editor.post("/notifications/read/")
        assert Notification.objects.filter(read_at=None).count() == 1

    @pytest.mark.parametrize(("count", "shown"), [(0, None), (1, "1"), (99, "99"), (100, "99+")])
    def test_every_page_has_a_bell_with_the_number_of_the_unread(
        self, viewer: Client, count: int, shown: str | None
    ) -> None:
        make.dashboard("shop")
        for n in range(count):
            tell(str(n))
        for path in ("/", "/sources/", "/rooms/", "/d/shop/"):
            page = text(viewer.get(path))
            assert f'data-unread="{count}"' in page
            bell = page[page.index('id="bell"') :].partition("</a>")[0]
            assert re.findall(r"<b>(.*?)</b>", bell) == ([shown] if shown else [])
            assert page.count('id="toasts"') == 1

    def test_a_wall_and_a_stranger_have_neither_bell_nor_toasts(self, viewer: Client) -> None:
        make.dashboard("shop")
        tell()
        for page in (text(viewer.get("/wall/shop/")), text(Client().get("/sign-in/")), text(Client().get("/join/"))):
            assert 'id="bell"' not in page
            assert 'id="toasts"' not in page
            assert "/ws/notifications/" not in page
            assert "personal=1" not in page


def test_an_empty_room_says_so_and_what_it_is_for_to_those_who_may_write(viewer: Client) -> None:
    room = rooms.create(SYSTEM, "Open")
    said = '<p class="log-empty">Nothing has been said here yet. <span>Write to everyone who sees this room: @name'
    assert said in text(viewer.get(f"/rooms/{room.pk}/"))
    assert "log-empty" not in text(viewer.get(f"/rooms/{room.pk}/?before=1"))
