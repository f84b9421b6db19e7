"""Signing in and out."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from redis import RedisError

from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/sign-in/"


@pytest.fixture(autouse=True)
def ada() -> User:
    return make.user("ada")


def sign_in(client: Client, password: str = make.PASSWORD, name: str = "ada", **others: str) -> HttpResponse:
    return client.post(PATH, {"username": name, "password": password, **others})  # type: ignore[return-value]


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_a_good_password_leads_to_the_dashboards(client: Client) -> None:
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_signed_in(client)


def test_a_page_that_was_asked_for_comes_after_signing_in(client: Client) -> None:
    make.dashboard()
    response = client.get("/d/shop/?range=6h")
    assert (response.status_code, response["Location"]) == (302, "/sign-in/?next=/d/shop/%3Frange%3D6h")
    page = client.get(response["Location"]).content.decode()
    assert 'name="next" value="/d/shop/?range=6h"' in page
    assert sign_in(client, next="/d/shop/?range=6h")["Location"] == "/d/shop/?range=6h"


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_it_leads_to_no_other_host(client: Client, next: str) -> None:
    assert sign_in(client, next=next)["Location"] == "/"


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("nobody", make.PASSWORD), ("ada", ""), ("", ""), ("a\x00", "b")]
)
def test_what_is_wrong_is_said_without_telling_which(client: Client, name: str, password: str) -> None:
    response = sign_in(client, password, name)
    assert response.status_code == 200
    assert not is_signed_in(client)


def test_someone_who_was_deactivated_is_not_let_in(client: Client, ada: User) -> None:
    User.objects.update(is_active=False)
    sign_in(client)
    assert not is_signed_in(client)


class TestLockout:
    def test_after_several_failures_even_the_right_password_waits(self, client: Client) -> None:
        answers = [sign_in(client, "wrong") for _ in range(settings.AXES_FAILURE_LIMIT)]
        assert [answer.status_code for answer in answers[:-1]] == [200] * (settings.AXES_FAILURE_LIMIT - 1)
        assert answers[-1].status_code == 429
        assert "Too many attempts" in answers[-1].content.decode()
        assert sign_in(client).status_code == 429
        assert not is_signed_in(client)

    def test_others_may_sign_in_meanwhile(self, client: Client) -> None:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            sign_in(client, "wrong")
        make.user("grace")
        assert sign_in(client, name="grace").status_code == 302

    def test_an_address_that_tries_many_users_waits_whoever_it_tries_next(
        self, client: Client, settings: Settings
    ) -> None:
        settings.SIGN_IN_FAILURES_PER_ADDRESS = 8
        statuses = [sign_in(client, "Winter2026", name=f"user {i}").status_code for i in range(8)]
        assert statuses == [200] * 7 + [429]
        assert sign_in(client).status_code == 429
        assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 302

    def test_a_success_of_one_does_not_forget_what_its_address_tried_on_others(
        self, client: Client, settings: Settings
    ) -> None:
        settings.SIGN_IN_FAILURES_PER_ADDRESS = 8
        for i in range(7):
            assert sign_in(client, "wrong", name=f"user {i}").status_code == 200
        assert sign_in(client).status_code == 302
        client.post("/sign-out/")
        assert sign_in(client, "wrong", name="grace").status_code == 429

    @pytest.mark.parametrize(
        ("first", "second", "are_one"),
        [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # the /64 that one machine has
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
            ("fe80::1%eth0", "fe80::2%eth1", True),
            ("192.0.2.7", "::ffff:192.0.2.7", True),  # how a socket of IPv6 sees it
            ("192.0.2.7", "192.0.2.8", False),
            ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ],
    )
    def test_one_machine_is_one_address(self, first: str, second: str, are_one: bool) -> None:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            sign_in(Client(REMOTE_ADDR=first), "wrong")
        assert sign_in(Client(REMOTE_ADDR=second)).status_code == (429 if are_one else 302)

    def test_a_pause_ends_though_somebody_goes_on_trying(self, client: Client) -> None:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            sign_in(client, "wrong")
        nearly = timezone.now() - timedelta(minutes=14)
        AccessAttempt.objects.update(attempt_time=nearly)
        assert sign_in(client).status_code == 429
        assert AccessAttempt.objects.get().attempt_time == nearly

    def test_a_success_forgets_the_failures(self, client: Client) -> None:
        for _ in range(2):
            for _ in range(settings.AXES_FAILURE_LIMIT - 1):
                sign_in(client, "wrong")
            assert sign_in(client).status_code == 302
            client.post("/sign-out/")


class TestSignOut:
    def test_it_ends_the_session(self, client: Client) -> None:
        sign_in(client)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        response = client.post("/sign-out/")
        assert (response.status_code, response["Location"]) == (302, "/sign-in/")
        client.cookies[settings.SESSION_COOKIE_NAME] = session
        assert not is_signed_in(client)

    def test_a_link_can_not_do_it(self, client: Client) -> None:
        sign_in(client)
        assert client.get("/sign-out/").status_code == 405
        assert is_signed_in(client)

    def test_without_redis_it_ends_the_session_all_the_same(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def unreachable(*_: object) -> None:
            raise RedisError("away")

        sign_in(client)
        monkeypatch.setattr("channels_redis.pubsub.RedisPubSubLoopLayer.group_send", unreachable)
        assert client.post("/sign-out/").status_code == 302
        assert not is_signed_in(client)


def test_forms_need_a_token_against_forgery(ada: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    refused = sign_in(strict)
    assert refused.status_code == 403
    assert "This form is out of date" in refused.content.decode()
    assert "<style" not in refused.content.decode()
    strict.force_login(ada)
    assert strict.post("/sign-out/").status_code == 403


def test_the_cookie_of_the_session_is_out_of_reach_of_scripts_and_other_sites(client: Client) -> None:
    cookie = (sign_in(client), client.cookies[settings.SESSION_COOKIE_NAME])[1]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
