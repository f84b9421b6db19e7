"""Pages and the database: a view writes nothing, and one that can't be drawn says why in a sentence."""

import json
import time
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import Error, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard_project import sessions
from metrics.access.principal import SYSTEM
from metrics.actions import (
    alert_webhooks,
    annotations,
    files,
    heartbeats,
    links,
    maintenance,
    messages,
    notifications,
    pictures,
    rooms,
    rules,
    schedules,
    silences,
)
from metrics.actions.maintenance import Window
from metrics.actions.notification_settings import ALERT
from metrics.alerts.matchers import Matcher
from metrics.database import READ_ONLY, unavailable
from metrics.models import Alert, Channel, Notification, Session
from metrics.views import errors
from metrics.views.urls import urlpatterns
from tests import make, trouble
from tests.pictures.test_pictures import drawn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _rested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions.RarelyRenewed, "_rests_until", 0.0)


@pytest.fixture
def client() -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(make.admin())
    return made


def seen(ago: timedelta) -> None:
    Session.objects.update(seen_at=timezone.now() - ago, expire_date=timezone.now() + timedelta(days=3))


def is_renewed() -> bool:
    one = Session.objects.get()
    return one.expire_date - timezone.now() > timedelta(days=29) and timezone.now() - one.seen_at < timedelta(minutes=1)


def unreachable() -> AbstractContextManager[None]:
    if trouble.IS_POSTGRESQL:
        return trouble.connected({"HOST": "/nowhere"}, pool={"min_size": 0, "max_size": 1, "timeout": 0.2})
    return trouble.connected({"NAME": "/nowhere/at/all"})


def test_looking_at_pages_and_polling_writes_nothing(client: Client) -> None:
    slug = make.dashboard().slug
    ids: dict[str, Any] = {"sources": make.source().pk}
    ids["heartbeats"] = heartbeats.create(SYSTEM, "nightly", every_s=60).pk
    ids["rooms"] = rooms.create(SYSTEM, "War room").pk
    file = files.upload(SYSTEM, ids["rooms"], "notes.txt", b"one")
    messages.say(SYSTEM, ids["rooms"], "", files=(file.key,))
    ids["access/invitations"] = ids["dashboards/deleted"] = 1
    ids["access/users"], ids["access/teams"] = User.objects.get().pk, make.team("ops").pk
    link, secret = links.create(SYSTEM, slug, "lobby")
    assert client.post("/link/", {"secret": secret, "framed": ""}).status_code == 200
    ids["link"] = ids[f"d/{slug}/links"] = link.pk
    condition = {"kind": "threshold", "above": 1}
    rule = rules.create(SYSTEM, {"name": "busy", "query": {"metric": "cpu"}, "condition": condition})
    ids["rules"], ids["alerts"] = rule.pk, Alert.objects.create(rule=rule, key="a", since_ms=0, seen_at_ms=0).pk
    ids["incidents"] = rooms.of_incident(make.incident("busy")).incident_id
    everyone = [Matcher("alertname", "=", "busy")]
    ids["maintenance"] = maintenance.create(SYSTEM, everyone, Window(url="https://example.org/"), "planned").pk
    ids["screens"] = make.screen()[0].pk
    ids["annotations"] = annotations.create(SYSTEM, "Deployed").pk
    ids["on-call"] = schedules.create(SYSTEM, {"name": "nights"}).pk
    ids["alert-webhooks"] = alert_webhooks.create(SYSTEM, "checks", {"alerts": "[]", "name": "name"})[0].pk
    ids["channels"] = Channel.objects.create(name="hook", kind="webhook").pk
    ids["silences"] = silences.set(SYSTEM, everyone, None, timezone.now() + timedelta(hours=1), "planned").pk
    picture = pictures.upload(SYSTEM, slug, drawn("PNG")).hash
    statuses = set()
    for pattern in urlpatterns:
        route = str(pattern.pattern).replace("<slug:slug>", slug).replace("<slug:key>", "number-of-orders-open")
        route = route.replace("<str:key>", file.key).replace("<str:name>", file.name).replace("<str:hash>", picture)
        route = route.replace("<uuid:id>", "<int:id>")
        path = "/" + route.replace("<int:id>", str(ids.get(route.partition("/<int:id>")[0])))
        for headers in ({}, PART):
            with CaptureQueriesContext(connection) as captured:
                told = client.get(path, headers=headers).status_code
            statuses.add(told)
            assert told != 404 or path.endswith(".ics"), path  # which has a secret address
            assert [
                one["sql"] for one in captured if not one["sql"].strip().startswith(("SELECT", "WITH", "DECLARE"))
            ] == [], path
    assert statuses <= {200, 302, 403, 404, 405}


class TestRenewal:
    def test_a_page_renews_after_an_hour_and_says_so_to_the_browser(self, client: Client) -> None:
        seen(timedelta(hours=1))
        response = client.get("/", headers={"User-Agent": "Firefox"}, REMOTE_ADDR="2001:db8::7")
        assert is_renewed()
        cookie = response.cookies[settings.SESSION_COOKIE_NAME]
        assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (30 * 86_400, True, "Lax")
        one = Session.objects.get()
        assert (one.browser, one.address) == ("Firefox", "2001:db8::7")

    def test_so_does_an_open_page_that_asks_whether_it_may_stay(self, client: Client) -> None:
        make.dashboard()
        seen(timedelta(hours=6))
        assert client.head("/d/shop/").status_code == 200
        assert is_renewed()

    @pytest.mark.parametrize(("ago", "headers"), [(timedelta(minutes=59), {}), (timedelta(days=20), PART)])
    def test_neither_does_the_next_page_nor_a_poll(self, client: Client, ago: timedelta, headers: Any) -> None:
        seen(ago)
        response = client.get("/heartbeats/", headers=headers)
        assert response.status_code == 200
        assert settings.SESSION_COOKIE_NAME not in response.cookies
        assert not is_renewed()

    def test_a_session_that_is_over_is_not_renewed(self, client: Client) -> None:
        Session.objects.update(seen_at=timezone.now() - timedelta(days=30), expire_date=timezone.now())
        assert client.get("/").status_code == 302

    @pytest.mark.parametrize("way", [trouble.read_only, *([] if trouble.IS_POSTGRESQL else [trouble.locked])])
    def test_no_page_fails_or_waits_because_it_failed(
        self, client: Client, way: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen(timedelta(days=20))
        notifications.send(SYSTEM, "user:root", ALERT, "Disk full", "/")
        with way():
            began = time.monotonic()
            assert [client.get("/").status_code for _ in range(20)] == [200] * 20
            assert time.monotonic() - began < 15
        assert caplog.text.count("sessions are not renewed") <= 1
        assert not is_renewed()
        assert Notification.objects.get().read_at is None
        assert client.get("/").status_code == 200
        assert Notification.objects.get().read_at is not None


class TestAway:
    @pytest.mark.parametrize("path", ["/", "/d/shop/", "/sources/", "/admin/"])
    def test_a_page_says_so_and_comes_back(self, client: Client, path: str) -> None:
        with unreachable():
            response = client.get(path, headers={"Accept": "text/html"})
        page = response.content.decode()
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert "The database " in page
        assert 'http-equiv="refresh"' in page
        assert "ALLOWED_HOSTS" not in page
        assert client.get("/").status_code == 200

    def test_a_part_of_a_page_is_no_page(self, client: Client) -> None:
        with unreachable():
            response = client.get("/heartbeats/", headers=PART)
        assert response.status_code == 503
        assert response.content.decode().startswith("The database ")
        assert "<" not in response.content.decode()

    def test_the_api_says_so_in_its_own_form(self, client: Client) -> None:
        with unreachable():
            response = client.get("/api/v1/series?metric=a", headers={"Authorization": "Bearer wf_a"})
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert json.loads(response.content)["detail"].startswith("The database ")

    def test_signing_in_says_so_and_does_not_load_itself_anew(self) -> None:
        stranger = Client(raise_request_exception=False)
        make.user("ada")
        with trouble.read_only():
            response = stranger.post("/sign-in/", {"username": "ada", "password": make.PASSWORD})
        assert response.status_code == 503
        assert "The database is read-only just now. Nothing was changed." in response.content.decode()
        assert 'http-equiv="refresh"' not in response.content.decode()

    def test_what_the_session_itself_must_keep_is_no_bad_request(self, client: Client) -> None:
        request = client.get("/").wsgi_request
        request.session["kept"] = 1
        with trouble.read_only(), pytest.raises(Error) as raised:
            request.session.save()
        assert unavailable(raised.value) == READ_ONLY

    @pytest.mark.skipif(not trouble.IS_POSTGRESQL, reason="SQLite has no connections that could be ended")
    def test_connections_that_were_killed_are_not_handed_out(self, client: Client) -> None:
        for _ in range(3):
            connection.close()  # into the pool
            trouble.kill_connections()
            assert client.get("/").status_code == 200


class TestBadRequests:
    def test_another_host_s_name_is_named(self, client: Client) -> None:
        response = client.get("/", headers={"Host": "nobody.example"})
        assert response.status_code == 400
        assert "missing in ALLOWED_HOSTS" in response.content.decode()

    def test_a_session_that_was_ended_meanwhile_is_not_blamed_on_hosts(self, client: Client) -> None:
        request = client.get("/").wsgi_request
        Session.objects.all().delete()
        request.session["kept"] = 1
        with pytest.raises(SessionInterrupted) as raised:
            sessions.RarelyRenewed(lambda _: HttpResponse()).process_response(request, HttpResponse())
        page = errors.bad_request(request, raised.value).content.decode()
        assert "You were signed out meanwhile. Nothing was changed." in page
        assert "ALLOWED_HOSTS" not in page
