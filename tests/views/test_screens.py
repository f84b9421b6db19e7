"""The pages of screens, as an editor uses them."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import dashboards, screens
from metrics.models import Screen
from metrics.redis_state import pairing
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "one_minute")]

PATH, PAIR = "/screens/", "/screens/pair/"


@pytest.fixture
def eve(client: Client) -> Client:
    """An editor, in front of two dashboards, one of which they may not see."""
    make.dashboard("shop")
    dashboards.create(SYSTEM, {"slug": "ops", "title": "Secret", "access": {"everyone": False}, "widgets": []})
    client.force_login(make.user("eve", is_staff=True))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def test_one_is_paired_changed_named_and_revoked(eve: Client) -> None:
    code = pairing.shown(pairing.begin("0" * 64, "192.0.2.7"))
    assert "There is no screen yet" in text(eve.get(PATH))
    page = text(eve.get(f"{PATH}?code={code}"))
    assert f'value="{code}"' in page
    assert "Secret" not in page
    given = {**form(page, PAIR), "name": "Lobby <1>", "dashboard": "shop", "range": "6h"}
    page = text(eve.post(PAIR, given, follow=True))
    assert "is paired, on a display at 192.0.2.7." in page
    assert "by <bdi>eve</bdi>, at 192.0.2.7" in page
    screen = Screen.objects.get()
    assert (screen.name, screen.range, screen.by) == ("Lobby <1>", "6h", "user eve")
    listed = text(eve.get(PATH))
    assert "Lobby &lt;1&gt;" in listed
    assert "Shop</a>, 6h" in listed
    assert "not seen yet" in listed
    edit = f"{PATH}{screen.pk}/"
    assert "was not open" in text(eve.post(f"{edit}name/", follow=True))
    assert eve.post(edit, {**form(text(eve.get(edit)), edit), "dashboard": ""}).status_code == 302
    assert Screen.objects.get().dashboard is None
    assert "until somebody pairs it again" in text(eve.get(f"{edit}revoke/"))
    assert "is revoked, also where it is open." in text(eve.post(f"{edit}revoke/", follow=True))
    for answer in (eve.get(edit), eve.post(f"{edit}name/"), eve.post(f"{edit}revoke/")):
        assert answer.status_code == 404


def test_what_makes_no_sense_is_said_beside_its_field(eve: Client) -> None:
    answer = eve.post(PAIR, {"code": "BCDF-GHJK", "name": "", "dashboard": "ops", "range": "2h", "everyone": "on"})
    assert answer.status_code == 422
    for said in ("No screen shows this code now", "has 1 to 90 characters", "There is no dashboard", "no range"):
        assert said in text(answer), said
    make.screen("Lobby")
    screen, _ = make.screen("Hall")
    edit = f"{PATH}{screen.pk}/"
    answer = eve.post(edit, {**form(text(eve.get(edit)), edit), "name": "LOBBY"})
    assert answer.status_code == 422
    assert "There is a screen" in text(answer)
    assert eve.post(PAIR, {"code": "a\x00b", "name": "x"}).status_code == 422


def test_too_many_codes_are_refused_beside_the_field(eve: Client) -> None:
    for _ in range(screens.CODES_PER_MINUTE):
        eve.post(PAIR, {"code": "BCDF-GHJK", "name": "x"})
    answer = eve.post(PAIR, {"code": "BCDF-GHJK", "name": "x"})
    assert (answer.status_code, "codes a minute" in text(answer)) == (429, True)


def test_a_dashboard_that_one_may_not_see_stays_and_is_not_named(eve: Client) -> None:
    screen, _ = make.screen("Lobby", "ops")
    edit = f"{PATH}{screen.pk}/"
    for page in (text(eve.get(PATH)), text(eve.get(edit))):
        assert "Secret" not in page
        assert "you may not see" in page
    assert eve.post(edit, {**form(text(eve.get(edit)), edit), "name": "Hall"}).status_code == 302
    screen = Screen.objects.get()
    assert (screen.name, screen.dashboard and screen.dashboard.slug) == ("Hall", "ops")


def test_a_dashboard_that_was_deleted_stays_until_another_choice_is_made(eve: Client) -> None:
    screen, _ = make.screen("Lobby", "shop")
    dashboards.delete(SYSTEM, "shop", None)
    edit = f"{PATH}{screen.pk}/"
    assert "One that was deleted, as now" in text(eve.get(edit))
    eve.post(edit, {**form(text(eve.get(edit)), edit), "name": "Hall"})
    assert Screen.objects.get().dashboard_id == screen.dashboard_id
    eve.post(edit, {**form(text(eve.get(edit)), edit), "dashboard": ""})
    assert Screen.objects.get().dashboard_id is None


def test_one_without_a_dashboard_shows_its_name_anyway(eve: Client) -> None:
    screen, _ = make.screen("Lobby")
    assert "Lobby shows its name all the time" in text(eve.post(f"{PATH}{screen.pk}/name/", follow=True))


def test_a_dashboard_of_a_team_says_which_screens_show_it_to_others(eve: Client) -> None:
    make.screen("Lobby", "ops")
    said = "screens that are not theirs alone show it: Lobby."
    eve.force_login(make.user("root", is_superuser=True))
    assert said in text(eve.get("/d/ops/"))
    assert said not in text(eve.get("/wall/ops/"))
    assert "theirs alone" not in text(eve.get("/d/shop/"))


def test_the_address_to_open_is_the_public_one(eve: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://watch.example"
    assert "https://watch.example/screen/" in text(eve.get(PATH))


def test_the_rows_alone_are_fetched_anew(eve: Client) -> None:
    make.screen("Lobby")
    rows = text(eve.get(PATH, headers={"HX-Request": "true"}))
    assert "Lobby" in rows
    assert "<form" not in rows


def test_they_are_for_editors_and_a_screen_of_a_team_for_those_of_it(eve: Client) -> None:
    own, _ = make.screen("Own", access=Access(everyone=True, teams=[make.team("ops").name]))
    hidden, _ = make.screen("Hidden", access=Access(everyone=False, teams=["ops"]))
    listed = text(eve.get(PATH))
    assert "Own" in listed
    assert "Hidden" not in listed
    assert f"{PATH}{own.pk}/" not in listed
    for screen, status in ((own, 403), (hidden, 404)):
        for answer in (eve.get(f"{PATH}{screen.pk}/"), eve.post(f"{PATH}{screen.pk}/name/")):
            assert answer.status_code == status
    vera = Client()
    vera.force_login(make.user("vera"))
    for answer in (vera.get(PATH), vera.post(PAIR, {"code": "x"})):
        assert answer.status_code == 403
    assert PATH not in text(vera.get("/dashboards/"))
