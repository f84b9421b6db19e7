"""The list of rooms, opening them, and their settings."""

import re
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import messages, room_list, rooms
from metrics.models import AuditEntry, Reading, Room
from tests import make
from tests.api.client import Program, body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def browsers() -> dict[str, Client]:
    """Browsers of ada, a viewer; of ed, an editor in ops; and of the administrator."""
    people = {"ada": make.user("ada"), "ed": make.user("ed", is_staff=True), "root": make.admin()}
    make.team("ops", people["ed"])
    made = {name: Client() for name in people}
    for name, browser in made.items():
        browser.force_login(people[name])
    return made


def text(response: Any) -> str:
    return str(response.content.decode())


def by(name: str) -> Any:
    from django.contrib.auth.models import User

    return of_user(User.objects.get(username=name))


CHOSEN = {"title": "Two", "everyone": "chosen"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"title": "All"}, (True, [], [])),
        ({"title": "All", "everyone": "everyone", "teams": ["ops"]}, (True, ["ops"], [])),
        ({**CHOSEN, "people": "ada"}, (False, [], ["ada", "ed"])),
        ({**CHOSEN, "people": " ada, root ,,ada", "teams": ["ops"]}, (False, ["ops"], ["ada", "ed", "root"])),
        (CHOSEN, "Name a team or a person."),
        ({**CHOSEN, "people": "ada, eve"}, "There is no user &#x27;eve&#x27; who may sign in."),
        ({"title": "All", "people": "ada"}, "A room for everyone has no people of its own"),
        ({**CHOSEN, "teams": ["night"]}, "Select a valid choice."),
        ({**CHOSEN, "everyone": "nobody"}, "Select a valid choice."),
    ],
)
def test_a_room_is_opened_for_whom_it_is_for(browsers: dict[str, Client], typed: dict[str, Any], expected: Any) -> None:
    response = browsers["ed"].post("/rooms/", typed)
    if isinstance(expected, str):
        assert response.status_code == 422
        assert expected in text(response)
        assert not Room.objects.exists()
        return
    assert response.status_code == 302
    made = Room.objects.get()
    teams, people = ([one.name for one in made.teams.all()], sorted(one.username for one in made.people.all()))
    assert (made.for_everyone, teams, people) == expected


def test_the_list_has_three_groups_with_what_one_may_see(
    browsers: dict[str, Client], django_assert_max_num_queries: Any
) -> None:
    dashboard = rooms.of_dashboard(make.dashboard("shop"))
    messages.say(SYSTEM, dashboard.pk, "hello")
    for title in ("b", "A", "closed"):
        rooms.create(SYSTEM, title)
    rooms.close(SYSTEM, Room.objects.get(title="closed").pk)
    messages.say(by("ada"), rooms.direct(by("ada"), "ed").pk, "hello")

    def shown(name: str) -> list[list[str]]:
        page = text(browsers[name].get("/rooms/"))
        return [re.findall(r'<h3><a href="[^"]*">([^<]*)</a>', part) for part in page.split("<h2>")[-3:]]

    assert shown("ada") == [["Shop"], ["A", "b", "closed"], ["ed"]]
    assert shown("ed") == [["Shop"], ["A", "b", "closed"], ["ada"]]
    assert shown("root") == [["Shop"], ["A", "b", "closed"], []]
    with django_assert_max_num_queries(3):
        room_list.listed(by("root"))
    page = text(browsers["ada"].get("/rooms/"))
    assert page.count("Closed ") == 1
    assert page.count("Newest message ") == 2
    assert f'data-unread-of="{dashboard.pk}"' in page


def test_favourites_and_what_is_unread_come_first_and_many_are_found_by_typing(browsers: dict[str, Client]) -> None:
    made = Room.objects.bulk_create([Room(title=f"Room {n:03}", for_everyone=True) for n in range(150)])
    ada = by("ada")
    Reading.objects.create(user_id=ada.pk, room=made[140], number=0, ordinal=0)
    messages.say(SYSTEM, made[140].pk, "hello")
    htmx = {"HX-Request": "true"}

    def shown(page: str) -> list[str]:
        return re.findall(r'<h3><a href="[^"]*">Room ([^<]*)</a>', page)

    page = text(browsers["ada"].post("/rooms/favourite/", {"on": made[149].pk}, headers=htmx))
    assert shown(page) == ["149", "140", *(f"{n:03}" for n in range(22))]
    assert "All 150<" in page
    assert page.count('aria-pressed="true"') == 1
    last = text(browsers["ada"].get("/rooms/?kind=rooms&page=99"))
    assert ("Page 3 of 3" in last, shown(last)[-1], len(shown(last))) == (True, "148", 30)
    found = text(browsers["ada"].get("/rooms/", {"q": "ROOM 14", "kind": "nonsense", "page": "x"}, headers=htmx))
    assert sorted(shown(found)) == ["014", "114", *(f"14{n}" for n in range(10))]
    assert "<h1>" not in found
    assert "No room has “&lt;b&gt;”" in text(browsers["ada"].get("/rooms/", {"q": "<b>"}))
    posted = browsers["ada"].post("/rooms/favourite/", {"off": made[149].pk, "q": "14"})
    assert (posted.status_code, posted["Location"]) == (302, "/rooms/?q=14")
    assert shown(text(browsers["ada"].get("/rooms/")))[:2] == ["140", "000"]
    assert browsers["ada"].post("/rooms/favourite/", {"on": "x"}).status_code == 404


def test_two_people_have_one_conversation_that_each_calls_by_the_other(browsers: dict[str, Client]) -> None:
    path = browsers["ada"].post("/rooms/direct/", {"name": "ed"})["Location"]
    assert browsers["ed"].post("/rooms/direct/", {"name": "ada"})["Location"] == path
    assert "<h1>ed</h1>" in text(browsers["ada"].get(path))
    assert "<h1>ada</h1>" in text(browsers["ed"].get(path))
    assert browsers["root"].get(path).status_code == 404
    for name, said in (("ada", "one of two people"), ("eve", "There is no user"), ("", "required"), ("a\x00", "Null")):
        refused = browsers["ada"].post("/rooms/direct/", {"name": name})
        assert refused.status_code == 422
        assert said in text(refused)
    assert Room.objects.count() == 1
    settings = text(browsers["ada"].get(f"{path}settings/"))
    assert "As one HTML file" in settings
    assert "Save" not in settings
    assert browsers["ada"].post(f"{path}settings/", {"title": "x"}).status_code == 403
    assert browsers["ada"].post(f"{path}close/", {"closed": "yes"}).status_code == 403


class TestSettings:
    def test_they_are_changed_by_who_may(self, browsers: dict[str, Client]) -> None:
        room = rooms.create(SYSTEM, "War room")
        path = f"/rooms/{room.pk}/settings/"
        typed = {"title": "Calm", "everyone": "chosen", "people": "ada", "teams": ["ops"], "keep_days": "30"}
        assert browsers["ada"].get(path).status_code == 200
        assert browsers["ada"].post(path, typed).status_code == 403
        assert browsers["ed"].post(path, typed).status_code == 302
        room.refresh_from_db()
        assert (room.title, room.for_everyone, room.keep_days) == ("Calm", False, 30)
        assert "Messages are kept for 30 days." in text(browsers["ada"].get(path))
        page = text(browsers["ed"].get(path))
        assert 'value="Calm"' in page
        assert 'value="ada, ed"' in page
        assert '<option value="chosen" selected>' in page
        for wrong in ({"keep_days": "0"}, {"keep_days": "3651"}, {"title": ""}, {"people": "eve"}, {"keep_days": "x"}):
            assert browsers["ed"].post(path, typed | wrong).status_code == 422
        assert AuditEntry.objects.filter(verb="change").count() == 1

    def test_who_gives_it_away_is_led_to_the_list(self, browsers: dict[str, Client]) -> None:
        room = rooms.create(by("ed"), "Ours", {"everyone": False, "teams": ["ops"]})
        typed = {**CHOSEN, "people": "ada"}
        assert browsers["root"].post(f"/rooms/{room.pk}/settings/", typed)["Location"] == f"/rooms/{room.pk}/settings/"
        assert browsers["ed"].get(f"/rooms/{room.pk}/settings/").status_code == 404

    def test_that_of_a_dashboard_has_a_time_to_keep_only(self, browsers: dict[str, Client]) -> None:
        room = rooms.of_dashboard(make.dashboard("shop"))
        path = f"/rooms/{room.pk}/settings/"
        page = text(browsers["root"].get(path))
        assert ('name="keep_days"' in page, 'name="title"' in page) == (True, False)
        assert browsers["root"].post(path, {"keep_days": "7", "title": "x"}).status_code == 302
        room.refresh_from_db()
        assert (room.keep_days, rooms.title_for(SYSTEM, room)) == (7, "Shop")
        assert "goes with its dashboard" in text(browsers["root"].post(f"/rooms/{room.pk}/delete/", follow=True))
        assert Room.objects.count() == 1

    def test_a_room_is_closed_and_opened_again(self, browsers: dict[str, Client]) -> None:
        room = rooms.create(SYSTEM, "War room")
        path = f"/rooms/{room.pk}/"
        assert browsers["ada"].post(f"{path}close/", {"closed": "yes"}).status_code == 403
        assert "Closed: nobody writes" in text(browsers["ed"].post(f"{path}close/", {"closed": "yes"}, follow=True))
        page = text(browsers["ada"].get(path))
        assert ("data-say hidden" in page, "data-closed" in page) == (True, True)
        assert browsers["ada"].post(path, {"text": "x"}).status_code == 422
        assert "Open again." in text(browsers["ed"].post(f"{path}close/", follow=True))
        page = text(browsers["ada"].get(path))
        assert ("data-say hidden" in page, "data-closed" in page) == (False, False)
        assert browsers["ada"].post(path, {"text": "x"}).status_code == 302
        assert [one.verb for one in AuditEntry.objects.order_by("pk")][-2:] == ["close", "reopen"]


def test_exports_and_search_are_pages(browsers: dict[str, Client]) -> None:
    room = rooms.create(SYSTEM, "War room")
    messages.say(SYSTEM, room.pk, "the disk <b>")
    for format, kind in (("", "text/html"), ("?format=html", "text/html"), ("?format=markdown", "text/markdown")):
        response: Any = browsers["ada"].get(f"/rooms/{room.pk}/export/{format}")
        assert response["Content-Type"] == f"{kind}; charset=utf-8"
        assert response["Content-Disposition"].startswith('attachment; filename="War room 20')
        assert b"the disk" in b"".join(response.streaming_content)
    wrongs: tuple[dict[str, str], ...] = ({"format": "pdf"}, {"from": "x"})
    for wrong in wrongs:
        assert browsers["ada"].get(f"/rooms/{room.pk}/export/", wrong).status_code == 422
    page = text(browsers["ada"].get(f"/rooms/search/?q=DISK&room={room.pk}"))
    assert "the <mark>disk</mark> &lt;b&gt;" in page
    assert f'href="/rooms/{room.pk}/?around=1#m-1"' in page
    assert "No message has these words" not in page
    assert "No message has all these words." in text(browsers["ada"].get("/rooms/search/?q=disk+none"))
    for path, status in (
        ("", 200),
        ("?q=", 200),
        (f"?q={'x' * 201}", 422),
        ("?q=x&room=987654321", 404),
        ("?q=x&room=²", 200),
    ):
        assert browsers["ada"].get(f"/rooms/search/{path}").status_code == status


def test_programs_manage_rooms_as_well() -> None:
    make.user("ada")
    program = Program("edit")
    made = body(program.post("/api/v1/rooms", {"title": "Two", "people": ["ada"]}))
    assert made == {
        "id": made["id"],
        "title": "Two",
        "access": {"everyone": False, "teams": []},
        "people": ["ada"],
        "dashboard": None,
        "incident": None,
        "keep_days": None,
        "closed_at": None,
    }
    path = f"/api/v1/rooms/{made['id']}"
    changed = body(program.patch(path, {"keep_days": 7, "closed": True, "access": {"everyone": True}, "people": []}))
    assert (changed["keep_days"], changed["people"], changed["access"]["everyone"]) == (7, [], True)
    assert changed["closed_at"]
    assert body(program.patch(path, {"closed": False, "keep_days": None})) == {
        **changed,
        "closed_at": None,
        "keep_days": None,
    }
    for wrong in ({"title": ""}, {"keep_days": 0}, {"people": ["eve"]}, {"access": {"teams": ["none"]}}, {"colour": 1}):
        before = body(program.get(path))
        assert program.patch(path, {"closed": True, **wrong}).status_code == 422
        assert body(program.get(path)) == before
    dashboard = rooms.of_dashboard(make.dashboard("shop"))
    assert body(program.get(f"/api/v1/rooms/{dashboard.pk}"))["dashboard"] == "shop"
    assert program.patch(f"/api/v1/rooms/{dashboard.pk}", {"title": "x", "keep_days": 1}).status_code == 422
    assert program.patch(f"/api/v1/rooms/{dashboard.pk}", {"keep_days": 1, "closed": True}).status_code == 200
    exported = program.get(f"{path}/export", format="html", until="2020-01-01")
    assert exported["Content-Type"] == "text/html; charset=utf-8"
    assert b"<title>Two</title>" in b"".join(exported.streaming_content)  # type: ignore[attr-defined]
    assert program.get(f"{path}/export", **{"from": "x"}).status_code == 422
