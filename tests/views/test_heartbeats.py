"""The pages of heartbeats: who sees and does what, and what is said about what was typed."""

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import heartbeats
from metrics.actions.heartbeats import Arrived
from metrics.heartbeat import Ping, Signal
from metrics.models import Heartbeat
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NEW = {"name": "backup", "every_s": "3600", "cron": "", "time_zone": "UTC", "grace_s": "300"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make.admin())
    return client


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(make.user())
    return client


def job(**fields: Any) -> Heartbeat:
    return heartbeats.create(SYSTEM, "backup", **fields or {"every_s": 3600})


def ping(heartbeat: Heartbeat, signal: Signal, **fields: Any) -> None:
    heartbeats.record([Arrived(heartbeat.key, Ping(time.time(), signal, **fields))])


def test_a_heartbeat_is_made_changed_paused_and_deleted(admin: Client) -> None:
    assert admin.post("/heartbeats/new/", NEW).status_code == 302
    made = Heartbeat.objects.get()
    page = f"/heartbeats/{made.pk}/"
    assert f"/ping/{made.key}" in admin.get(page).content.decode()
    assert admin.post(f"{page}edit/", {**NEW, "every_s": "", "cron": "0 3 * * *"}).status_code == 302
    assert "0 3 * * * (UTC)" in admin.get(page).content.decode()
    admin.post(f"{page}pause/")
    assert "paused" in admin.get("/heartbeats/").content.decode()
    assert admin.get(f"{page}rotate/").status_code == 200
    assert Heartbeat.objects.get().key == made.key
    assert "It has a new address" in admin.post(f"{page}rotate/", follow=True).content.decode()
    assert Heartbeat.objects.get().key != made.key
    assert admin.get(f"{page}delete/").status_code == 200
    assert Heartbeat.objects.exists()
    admin.post(f"{page}delete/")
    assert not Heartbeat.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"every_s": "", "cron": ""}, "A schedule has either every or cron."),
        ({"every_s": "", "cron": "at noon"}, "does not have five fields"),
        ({"every_s": "often"}, "Enter a whole number."),
        ({"time_zone": "Mars", "every_s": "", "cron": "* * * * *"}, "is not one such as UTC"),
        ({"grace_s": "-1"}, "greater than or equal to 0"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"name": "taken"}, "There is a heartbeat"),
    ],
)
def test_nonsense_gets_a_sentence_beside_its_field(admin: Client, typed: dict[str, str], said: str) -> None:
    heartbeats.create(SYSTEM, "taken", every_s=60)
    response = admin.post("/heartbeats/new/", {**NEW, **typed})
    assert response.status_code == 422
    assert said in response.content.decode()
    assert Heartbeat.objects.count() == 1


def test_what_is_wrong_comes_first_and_says_what_it_said(admin: Client) -> None:
    fine, failed = job(), heartbeats.create(SYSTEM, "report", every_s=60)
    ping(fine, Signal.SUCCESS)
    ping(failed, Signal.FAIL, exit_status=3, body="<b>disk full</b>")
    page = admin.get("/heartbeats/").content.decode()
    assert page.index("report") < page.index("backup")
    page = admin.get(f"/heartbeats/{failed.pk}/").content.decode()
    assert "exit code 3" in page
    assert "&lt;b&gt;disk full&lt;/b&gt;" in page


def test_what_never_pinged_is_shown_and_counted(admin: Client) -> None:
    fine, _ = job(), heartbeats.create(SYSTEM, "never set up", every_s=60)
    ping(fine, Signal.SUCCESS)
    page = admin.get("/heartbeats/")
    assert [row.name for row in page.context["rows"]] == ["never set up", "backup"]
    assert [(one.number, one.status.word) for one in page.context["counts"]] == [(1, "new")]
    heartbeats.evaluate(time.time() + 1e6)
    page = admin.get("/heartbeats/")
    assert [(one.number, one.status.word) for one in page.context["counts"]] == [(2, "down")]


def test_htmx_gets_the_part_that_changes(viewer: Client) -> None:
    one = job()
    for path in ("/heartbeats/", f"/heartbeats/{one.pk}/"):
        assert "<html" not in viewer.get(path, headers={"HX-Request": "true"}).content.decode()


class TestWhoMayDoWhat:
    def test_a_viewer_sees_its_state_and_not_where_it_is_pinged(self, viewer: Client) -> None:
        one = job()
        page = viewer.get(f"/heartbeats/{one.pk}/")
        assert page.status_code == 200
        assert one.key not in page.content.decode()

    @pytest.mark.parametrize("what", ["new/", "{pk}/edit/", "{pk}/pause/", "{pk}/rotate/", "{pk}/delete/"])
    def test_a_viewer_may_change_nothing(self, viewer: Client, what: str) -> None:
        one = job()
        assert viewer.post("/heartbeats/" + what.format(pk=one.pk), NEW).status_code == 403
        assert Heartbeat.objects.get().state == "new"

    def test_an_editor_may(self, viewer: Client) -> None:
        User.objects.filter(username="ada").update(is_staff=True)
        assert viewer.post("/heartbeats/new/", NEW).status_code == 302

    def test_strangers_are_asked_to_sign_in(self, client: Client) -> None:
        for path in ("/heartbeats/", f"/heartbeats/{job().pk}/", "/heartbeats/new/"):
            assert client.get(path).status_code == 302

    def test_what_is_not_there_is_404(self, admin: Client) -> None:
        assert admin.get("/heartbeats/987654321/").status_code == 404
