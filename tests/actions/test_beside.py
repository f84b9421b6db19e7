"""Beside a dashboard: moments, drawings, cards of links, and what is unread."""

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import cards, dashboards, messages, moments, notifications, reading, rooms
from metrics.actions.errors import Invalid, Missing
from metrics.actions.reading import Mark
from metrics.models import Dashboard, Message, Room, Team
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def arrive(value: float) -> None:
    now = time.time()
    make.accepted([make.sample("orders", value, now - 1)], now=now)


@pytest.fixture
def shop() -> Dashboard:
    """A dashboard of two widgets, one of which shows 7."""
    widgets = [{**make.widget("orders"), "title": "Orders"}, make.widget("b")]
    made = dashboards.create(SYSTEM, {"slug": "shop", "title": "Shop", "widgets": widgets})
    arrive(7.0)
    return made


class TestMoments:
    def test_a_message_remembers_what_was_beside_it(self, shop: Dashboard) -> None:
        now = time.time()
        said = messages.say(SYSTEM, shop.room.pk, "look", range="6h")
        assert said.moment is not None
        assert {**said.moment, "at": 0} == {"dashboard": shop.pk, "revision": 1, "range": "6h", "at": 0}
        assert now <= said.moment["at"] <= time.time()
        dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
        of_past = messages.say(SYSTEM, shop.room.pk, "that was it", range="6h", at=now)
        assert of_past.moment is not None
        assert (of_past.moment["revision"], of_past.moment["at"]) == (1, now)
        assert messages.say(SYSTEM, shop.room.pk, "no dashboard in view").moment is None
        assert messages.say(SYSTEM, rooms.create(SYSTEM, "War room").pk, "x", range="6h").moment is None

    @pytest.mark.parametrize("beside", [{"range": "2h"}, {"range": "1h", "at": -1.0}, {"range": "1h", "at": 9e12}])
    def test_a_moment_that_can_not_be_is_refused(self, shop: Dashboard, beside: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            messages.say(SYSTEM, shop.room.pk, "x", **beside)
        assert not Message.objects.exists()

    def test_the_page_shows_the_widgets_and_values_of_then(self, shop: Dashboard, client: Client) -> None:
        client.force_login(make.user())
        then = time.time()
        dashboards.change(SYSTEM, "shop", {"title": "Store", "widgets": []}, None)
        past = f"/d/shop/?range=15m&at={then:.3f}"
        for path in (past, f"{past}&revision=1&message=3"):
            page = client.get(path).content.decode()
            assert "<h1>Shop</h1>" in page
            assert ">7</b>" in page
        assert "7" not in client.get(f"{past}&revision=2").content.decode().partition("<main")[2].partition("</main")[0]
        for wrong in ("at=x", "at=9e12", "at=-1", f"at={then}&revision=9", "at=nan"):
            assert client.get(f"/d/shop/?{wrong}").status_code == 404

    def test_one_whose_revision_is_gone(self, shop: Dashboard) -> None:
        with pytest.raises(Missing):
            moments.moment(shop, "1h", time.time(), time.time(), revision=9)


class TestDrawings:
    def test_it_stays_what_it_was(self, shop: Dashboard) -> None:
        said = messages.say(SYSTEM, shop.room.pk, "/show 6h orders")
        assert ">7</b>" in said.drawing
        assert "data-state" not in said.drawing  # which would grow stale
        arrive(8.0)
        assert Message.objects.get().drawing == said.drawing
        assert said.drawing.count("<section") == 1
        assert messages.say(SYSTEM, shop.room.pk, "/show").drawing.count("<section") == 2

    @pytest.mark.parametrize(
        ("text", "why"),
        [("/show 6h nothing", "there is no widget 'nothing' here; there are Orders"), ("/show 2h", "no widget '2h'")],
    )
    def test_what_there_is_not_is_said(self, shop: Dashboard, text: str, why: str) -> None:
        with pytest.raises(Invalid, match=why):
            messages.say(SYSTEM, shop.room.pk, text)
        with pytest.raises(Invalid, match="this room has none"):
            messages.say(SYSTEM, rooms.create(SYSTEM, "War room").pk, text)


HIDDEN = {"everyone": False, "teams": ["ops"]}


class TestCards:
    @pytest.fixture
    def places(self, shop: Dashboard, settings: Any) -> dict[str, Room]:
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://watch.example:8443", ["localhost"]
        make.team("ops")
        make.dashboard("plant")
        dashboards.change(SYSTEM, "plant", {"title": "Plant", "access": HIDDEN}, None)
        secret = rooms.create(SYSTEM, "Secret", HIDDEN)
        return {"open": rooms.create(SYSTEM, "Open"), "ops": secret, "shop": shop.room}

    @pytest.mark.parametrize(
        ("text", "where", "found"),
        [
            ("see /d/shop/.", "open", ["dashboard Shop"]),
            ("see http://localhost:8000/d/shop/, now", "open", ["dashboard Shop"]),
            ("https://watch.example:8443/d/shop/?range=1h", "open", ["dashboard Shop"]),
            ("https://elsewhere.example/d/shop/ and https://[bad", "open", []),
            ("/d/shop/#w-orders", "open", ["widget Shop: Orders"]),
            ("/d/shop/?at=0&range=1h", "open", ["moment Shop, 1970-01-01 00:00:00 UTC"]),
            ("/d/shop/?at=1e99", "open", ["moment Shop, at no time"]),
            ("/d/nothing/ /rooms/99999999999999999999/ /sources/1x/", "open", []),
            ("/d/plant/", "open", []),
            ("/d/plant/", "ops", ["dashboard Plant"]),
            ("/d/plant/", "shop", []),
            ("a/d/shop/", "open", []),
            ("https://localhost//elsewhere.example/d/shop/", "open", []),
            ("/d/shop/ " * 50, "open", ["dashboard Shop"]),
        ],
    )
    def test_links_to_things_that_all_in_the_room_may_see(
        self, places: dict[str, Room], text: str, where: str, found: list[str]
    ) -> None:
        assert [f"{one['kind']} {one['title']}" for one in cards.cards(text, places[where])] == found

    def test_however_many_people_a_room_has_the_queries_are_the_same(self, places: dict[str, Room]) -> None:
        counts = []
        for count in (2, 8):
            people = [make.user(f"of-{count}-{n}") for n in range(count)]
            Team.objects.get(name="ops").user_set.add(*people)
            chosen = rooms.create(SYSTEM, "Chosen", people=[one.get_username() for one in people])
            with CaptureQueriesContext(connection) as queries:
                assert len(cards.cards("/d/plant/", rooms.with_access([chosen.pk])[chosen.pk])) == 1
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_rooms_and_messages(self, places: dict[str, Room]) -> None:
        path = f"/rooms/{places['open'].pk}/"
        messages.say(of_user(make.user()), places["open"].pk, "here")
        text = f"{path} {path}#m-1 {path}#m-7 /rooms/{places['ops'].pk}/"
        titles = [one["title"] for one in cards.cards(text, places["shop"])]
        assert titles == ["Open", "ada in Open", "Open"]


class TestUnread:
    def test_what_others_said_since_is_counted_by_room(self, shop: Dashboard) -> None:
        ada, ben = make.user("ada"), make.user("ben")
        war = rooms.create(SYSTEM, "War room").pk
        for text in ("one", "two", "three"):
            messages.say(of_user(ben), war, text)
        assert reading.unread([ada.pk, ben.pk]) == {ada.pk: {}, ben.pk: {}}  # ada was never there
        assert reading.mark([Mark(ada.pk, war, 1), Mark(ben.pk, war, 2), Mark(ada.pk, war, 99)]) == [True, False, True]
        assert reading.unread([ada.pk, ben.pk]) == {ada.pk: {war: 2}, ben.pk: {}}
        messages.say(of_user(ada), war, "mine is read, and all before it")
        assert reading.unread([ada.pk, ben.pk]) == {ada.pk: {}, ben.pk: {war: 1}}
        Room.objects.filter(pk=war).update(for_everyone=False)
        assert reading.unread([ben.pk]) == {ben.pk: {}}

    def test_whoever_reads_on_has_read_what_told_them_of_it(self, django_capture_on_commit_callbacks: Any) -> None:
        ada = make.user("ada")
        war, other = [rooms.create(SYSTEM, title).pk for title in ("War room", "Other")]
        with django_capture_on_commit_callbacks(execute=True):
            for room in (war, other):
                messages.say(SYSTEM, room, "look, @ada")
        assert notifications.unread(ada.pk) == 2
        with django_capture_on_commit_callbacks(execute=True):
            reading.mark([Mark(ada.pk, war, 1)])
        assert notifications.unread(ada.pk) == 1

    def test_a_conversation_of_two_counts_from_the_start(self) -> None:
        ada, ben = make.user("ada"), make.user("ben")
        room = rooms.direct(of_user(ada), "ben")
        assert rooms.direct(of_user(ben), "ada") == room
        messages.say(of_user(ada), room.pk, "psst")
        assert reading.unread([ben.pk]) == {ben.pk: {room.pk: 1}}
        assert reading.badge(ben.pk).text == "1"

    def test_counting_takes_as_many_queries_for_many(self, django_assert_max_num_queries: Any) -> None:
        people = [make.user(name) for name in "abcde"]
        for title in "fgh":
            room = rooms.create(SYSTEM, title, people=[one.username for one in people])
            messages.say(SYSTEM, room.pk, "x")
        with django_assert_max_num_queries(6):
            assert reading.unread([one.pk for one in people]).keys() == {one.pk for one in people}

    def test_of_more_rooms_than_one_reads_the_newest_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "ROOMS_MOST", 2)
        people = [make.user(name).get_username() for name in ("ada", "ben")]
        every = [rooms.create(SYSTEM, f"{n}", people=people).pk for n in range(3)]
        for room in every:
            messages.say(SYSTEM, room, "x")
        ids = User.objects.values_list("pk", flat=True)
        assert reading.unread(ids) == {user: dict.fromkeys(every[1:], 1) for user in ids}

    def test_the_first_unread_is_marked_on_the_page(self, client: Client) -> None:
        ada = make.user("ada")
        room = rooms.create(SYSTEM, "War room").pk
        for n in range(60):
            messages.say(SYSTEM, room, f"message {n}")
        client.force_login(ada)
        assert "unread-line" not in client.get(f"/rooms/{room}/").content.decode()  # they were never there before
        reading.mark([Mark(ada.pk, room, 3)])
        assert f"/rooms/{room}/?around=4#unread-line" in client.get(f"/rooms/{room}/").content.decode()
        page = client.get(f"/rooms/{room}/?around=4").content.decode()
        assert page.index('id="m-3"') < page.index('id="unread-line"') < page.index('id="m-4"')
