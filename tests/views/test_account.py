"""The account page: one's password, and the browsers where one is signed in."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from metrics.actions import account
from metrics.models import Session
from metrics.views import browsers
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/account/"
NEW = "a-long-new-one"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def ada() -> User:
    return make.user("ada")


def signed_in(name: str = "ada", **extra: Any) -> Client:
    client = Client(**extra)
    assert client.post("/sign-in/", {"username": name, "password": make.PASSWORD}).status_code == 302
    return client


def change(client: Client, old: str = make.PASSWORD, new: str = NEW, again: str = NEW) -> Any:
    return client.post(PATH, {"old_password": old, "new_password1": new, "new_password2": again})


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_it_is_for_who_is_signed_in(client: Client) -> None:
    for path in (PATH, "/account/end-session/", "/account/sign-out-everywhere/"):
        response = client.post(path)
        assert (response.status_code, response["Location"]) == (302, f"/sign-in/?next={path}")


def test_every_page_leads_to_it() -> None:
    client = signed_in()
    for path in ("/", "/sources/", "/heartbeats/", PATH, "/api/docs"):
        assert 'href="/account/"' in client.get(path).content.decode(), path


class TestPassword:
    def test_anyone_may_change_it_and_stays_signed_in_here_alone(self, ada: User) -> None:
        here, there = signed_in(), signed_in()
        before = here.cookies[settings.SESSION_COOKIE_NAME].value
        page = here.get(change(here)["Location"]).content.decode()
        assert "Your password is changed. Every other browser is signed out." in page
        ada.refresh_from_db()
        assert ada.check_password(NEW)
        assert not is_signed_in(there)
        assert is_signed_in(here)
        assert here.cookies[settings.SESSION_COOKIE_NAME].value != before, "one that was stolen is worthless now"
        assert page.count('data-label="Address"') == 1

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"old": "wrong"}, "This is not your present password."),
            ({"old": ""}, "This field is required."),
            ({"again": "another-long-one"}, "The two password fields didn"),
            ({"new": "short", "again": "short"}, "This password is too short."),
            ({"new": "password1", "again": "password1"}, "This password is too common."),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_changed(self, ada: User, fields: dict[str, str], said: str) -> None:
        client = signed_in()
        response = change(client, **fields)
        assert response.status_code == 422
        assert said in response.content.decode()
        ada.refresh_from_db()
        assert ada.check_password(make.PASSWORD)
        assert is_signed_in(client)

    def test_it_can_not_be_guessed_on_a_screen_that_was_left_open(self, ada: User) -> None:
        client = signed_in()
        answers = [change(client, old=f"guess {i}").status_code for i in range(settings.AXES_FAILURE_LIMIT)]
        assert answers[-1] == 429
        assert change(client).status_code == 429
        ada.refresh_from_db()
        assert ada.check_password(make.PASSWORD)

    def test_the_admin_has_no_second_way(self) -> None:
        make.user("grace", is_staff=True)
        assert signed_in("grace").get("/admin/password_change/")["Location"] == PATH


class TestSessions:
    def test_they_are_listed_with_this_one_first(self) -> None:
        here = signed_in(headers={"User-Agent": LINUX}, REMOTE_ADDR="192.0.2.7")
        signed_in(headers={"User-Agent": "curl/8.1"}, REMOTE_ADDR="2001:db8::1")
        signed_in(headers={"User-Agent": "<b>"})
        page = here.get(PATH).content.decode()
        rows = page.split("<tr>")[2:]
        assert "Firefox on Linux" in rows[0]
        assert "this one" in rows[0]
        assert "192.0.2.7" in rows[0]
        assert "Sign out" not in rows[0]
        assert all('aria-label="Sign out ' in row and "this one" not in row for row in rows[1:])
        assert "2001:db8::1" in page
        assert "<b>" not in page
        for session in Session.objects.all():
            assert session.session_key not in page

    def test_one_is_ended(self) -> None:
        here, there, third = signed_in(), signed_in(), signed_in()
        key = there.cookies[settings.SESSION_COOKIE_NAME].value
        name = account.name_of(Session.objects.get(session_key=key))
        response = here.post("/account/end-session/", {"session": name}, follow=True)
        assert "That browser is signed out." in response.content.decode()
        assert [is_signed_in(one) for one in (here, there, third)] == [True, False, True]
        again = here.post("/account/end-session/", {"session": name}, follow=True)
        assert "That browser was signed out already." in again.content.decode()

    @pytest.mark.parametrize("name", ["", "x", "\x00"])
    def test_nonsense_ends_none(self, name: str) -> None:
        here, there = signed_in(), signed_in()
        assert here.post("/account/end-session/", {"session": name}).status_code == 302
        assert is_signed_in(here)
        assert is_signed_in(there)

    def test_nobody_ends_another_s(self) -> None:
        make.user("grace")
        grace, ada = signed_in("grace"), signed_in()
        key = grace.cookies[settings.SESSION_COOKIE_NAME].value
        ada.post("/account/end-session/", {"session": account.name_of(Session.objects.get(session_key=key))})
        assert is_signed_in(grace)

    def test_all_of_them_are_ended(self) -> None:
        make.user("grace")
        here, there, grace = signed_in(), signed_in(), signed_in("grace")
        assert here.post("/account/sign-out-everywhere/")["Location"] == "/sign-in/"
        assert [is_signed_in(one) for one in (here, there, grace)] == [False, False, True]
        assert {one.user.username for one in Session.objects.all() if one.user} == {"grace"}


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (LINUX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 Version/18 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Mobile Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537 Chrome/142.0 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0 Safari/537", "Chrome on an LG TV"),
        ("curl/8.1.2", "curl"),
        ("python-httpx/0.28", "python-httpx"),
        ("Mozilla/5.0", "An unknown browser"),
        ("", "An unknown browser"),
        ("\U0001f642", "An unknown browser"),
    ],
)
def test_a_browser_has_the_name_people_know(agent: str, name: str) -> None:
    assert browsers.name(agent) == name
