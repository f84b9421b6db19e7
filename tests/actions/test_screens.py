"""Screens: pairing by a code, what is refused, what open pages are told, and when old ones are removed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import RedisError

from metrics.access.principal import SYSTEM, Principal, Role
from metrics.access.screens import opened
from metrics.access.sharing import Access
from metrics.actions import dashboards, locks, screens
from metrics.actions.errors import Forbidden, Invalid, Missing, NoAnswer, TooOften
from metrics.live import bus
from metrics.models import AuditEntry, Dashboard, Screen
from metrics.redis_state import pairing
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "one_minute")]

VERA = Principal("user", "user vera", Role.VIEWER, 5)
EVE = Principal("user", "user eve", Role.EDITOR, 6, address="192.0.2.7")


@pytest.fixture(autouse=True)
def _shop() -> None:
    make.dashboard("shop")
    make.dashboard("store")
    dashboards.create(SYSTEM, {"slug": "ops", "title": "Ops", "access": {"everyone": False}, "widgets": []})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Elements that were sent to open pages, and the dashboards whose sockets were looked at again."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr(bus, "send_to", lambda to, target, swap, html: found.append((to.holder, target, html)))
    monkeypatch.setattr(bus, "recheck", lambda **given: found.append(("recheck", given["dashboard"])))
    return found


def code(digest: str = "0" * 64) -> str:
    return screens.new_code(digest, "192.0.2.7")


class TestCodes:
    def test_one_is_of_letters_that_are_no_words_and_look_like_no_other(self) -> None:
        found = [code(str(number)) for number in range(screens.CODES_PER_MINUTE)]
        assert len(set(found)) == len(found)
        assert all(len(one) == 8 and set(one) <= set("BCDFGHJKLMNPQRSTVWXZ") for one in found)
        assert pairing.shown("BCDFGHJK") == "BCDF-GHJK"

    def test_it_holds_for_15_minutes(self, redis: Any) -> None:
        made = code("a" * 64)
        assert screens.code_of("a" * 64) == made
        for key in redis.keys("wf:pairing:*"):
            assert 890 < int(redis.ttl(key)) <= 900

    def test_an_address_may_ask_for_so_many_and_try_so_many(self) -> None:
        for _ in range(screens.CODES_PER_MINUTE):
            code()
            with pytest.raises(Invalid):
                screens.pair(EVE, "WRONG", "Lobby")
        with pytest.raises(TooOften):
            code()
        with pytest.raises(TooOften):
            screens.pair(EVE, "WRONG", "Lobby")
        screens.new_code("0" * 64, "192.0.2.8")
        with pytest.raises(Invalid):
            screens.pair(SYSTEM, "WRONG", "Lobby")

    def test_of_ipv6_a_network_is_one_address(self) -> None:
        for number in range(screens.CODES_PER_MINUTE):
            screens.new_code("0" * 64, f"2001:db8::{number}")
        with pytest.raises(TooOften):
            screens.new_code("0" * 64, "2001:db8::ffff")

    def test_without_redis_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise RedisError

        for name in ("begin", "code_of", "shows"):
            monkeypatch.setattr(pairing, name, fail)
        for do in (code, lambda: screens.code_of("a"), lambda: screens.pair(EVE, "BCDFGHJK", "Lobby")):
            with pytest.raises(NoAnswer):
                do()


@pytest.mark.parametrize("typed", ["{}", "{}".lower(), " {} ", "{0[0]}{0[1]}{0[2]}{0[3]}-{0[4]}{0[5]}{0[6]}{0[7]}"])
def test_a_code_is_typed_as_people_do(typed: str) -> None:
    made = code()
    screens.pair(EVE, typed.format(made).lower(), "Lobby")


def test_a_code_pairs_once_the_screen_that_showed_it() -> None:
    secret = Screen.new_secret()
    made = code(Screen.digest_of(secret))
    assert opened(secret) is None
    screen = screens.pair(EVE, made, " Lobby ", "shop", "6h")
    assert opened(secret) == screen
    assert (screen.name, screen.range, screen.by, screen.shown and screen.shown.slug) == (
        "Lobby",
        "6h",
        "user eve",
        "shop",
    )
    assert screen.paired_from == "192.0.2.7"
    assert (AuditEntry.objects.get(verb="pair").after or {})["paired_from"] == "192.0.2.7"
    assert screens.code_of(screen.digest) == ""
    with pytest.raises(Invalid) as refused:
        screens.pair(EVE, made, "Hall")
    assert refused.value.field == "code"


def test_of_two_who_type_a_code_at_once_one_pairs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = code()
    screens.pair(EVE, made, "Lobby")
    monkeypatch.setattr(
        screens, "_that_shows", lambda _: pairing.Shows("0" * 64, None)
    )  # as it was before the other committed
    with pytest.raises(Invalid) as refused:
        screens.pair(EVE, made, "Hall")
    assert refused.value.field == "code"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("code", {"code": "BCDF-GHJK"}),
        ("code", {"code": ""}),
        ("code", {"code": "x\x00"}),
        ("name", {"name": " "}),
        ("name", {"name": "x" * 91}),
        ("name", {"name": "a\x00b"}),
        ("name", {"name": "lobby"}),
        ("dashboard", {"dashboard": "nothing"}),
        ("dashboard", {"dashboard": "a\x00b"}),
        ("dashboard", {"dashboard": "ops"}),
        ("range", {"range": "2h"}),
        ("access.teams", {"access": Access(teams=["nobodys"])}),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_code_holds(field: str, given: dict[str, Any]) -> None:
    make.screen("Lobby")
    made = code()
    with pytest.raises(Invalid) as refused:
        screens.pair(EVE, **{"code": made, "name": "Hall", **given})
    assert [where for where, _ in refused.value.all] == [field]
    assert str(refused.value).startswith(f"{field}: ")
    assert Screen.objects.count() == 1
    screens.pair(EVE, made, "Hall")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        screens.pair(EVE, "", "", "nothing", "2h")
    assert [where for where, _ in refused.value.all] == ["code", "name", "dashboard", "range"]


def test_one_that_a_token_of_a_team_pairs_is_of_that_team() -> None:
    ops = make.team("ops")
    bot = Principal("token", "token bot", Role.EDITOR, 1, frozenset({ops.pk}))
    screen = screens.pair(bot, code(), "Lobby")
    assert (screen.for_everyone, [team.name for team in screen.teams.all()]) == (False, ["ops"])
    with pytest.raises(Missing):
        screens.change(EVE, screen.pk, {"name": "Hall"})


def test_they_are_for_editors() -> None:
    screen, _ = make.screen("Lobby", "shop")
    for do in (lambda: screens.pair(VERA, code(), "Hall"), lambda: screens.listed(VERA)):
        with pytest.raises(Forbidden):
            do()
    for act in (screens.find, screens.revoke, screens.show_name):
        with pytest.raises(Missing):
            act(VERA, screen.pk)
    own, _ = make.screen("Own", access=Access(everyone=True, teams=[make.team("ops").name]))
    with pytest.raises(Forbidden):
        screens.change(EVE, own.pk, {"range": "6h"})
    for act in (screens.revoke, screens.show_name):
        with pytest.raises(Forbidden):
            act(EVE, own.pk)


def test_a_list_of_many_costs_as_much_as_one_of_a_few(django_assert_max_num_queries: Any) -> None:
    for number in range(5):
        make.screen(f"Wall {number}", "shop", access=Access(everyone=True))
    with django_assert_max_num_queries(3):
        assert [one.dashboard.slug for one in screens.listed(EVE) if one.dashboard] == ["shop"] * 5


class TestChange:
    def test_its_page_is_told_when_it_is_to_show_something_else(self, sent: list[tuple[Any, ...]]) -> None:
        screen, _ = make.screen("Lobby", "shop")
        shop, holder = screen.dashboard_id, f"screen:{screen.pk}"
        screens.change(EVE, screen.pk, {"range": "1h"})  # the usual one
        assert sent == []
        screens.change(EVE, screen.pk, {"name": "Hall"})  # by which its sockets are known
        assert sent == [("recheck", shop)]
        screens.change(EVE, screen.pk, {"range": "6h"})
        moved = screens.change(EVE, screen.pk, {"dashboard": "store", "range": ""})
        screens.change(EVE, screen.pk, {"dashboard": ""})
        told = [
            html for to, target, html in (one for one in sent if len(one) == 3) if (to, target) == (holder, "shows")
        ]
        assert [html.split('"')[3] for html in told] == [f"{shop} 6h", f"{moved.dashboard_id} 1h", "nothing on Hall"]
        assert [one[1] for one in sent if one[0] == "recheck"] == [shop, shop, shop, moved.dashboard_id]

    def test_what_an_editor_may_not_see_stays(self) -> None:
        screen, _ = make.screen("Lobby", "ops")
        (known,) = screens.described(EVE, [screen])
        assert (known.dashboard, known.is_hidden) == (None, True)
        changed = screens.change(EVE, screen.pk, {"name": "Hall"})
        assert changed.shown is not None
        assert changed.shown.slug == "ops"
        with pytest.raises(Invalid):
            screens.change(EVE, screen.pk, {"dashboard": "ops"})

    def test_nothing_is_shown_of_a_dashboard_that_is_deleted_until_it_is_back(self) -> None:
        screen, secret = make.screen("Lobby", "shop")
        dashboards.delete(SYSTEM, "shop", None)
        found = opened(secret)
        assert found is not None
        assert found.shown is None
        dashboards.restore(SYSTEM, screen.dashboard_id or 0)
        found = opened(secret)
        assert found is not None
        assert found.shown is not None

    def test_one_that_is_revoked_is_over_and_its_name_is_free(self, sent: list[tuple[Any, ...]]) -> None:
        screen, secret = make.screen("Lobby", "shop")
        screens.revoke(EVE, screen.pk)
        assert opened(secret) is None
        assert sent == [("recheck", screen.dashboard_id)]
        for act in (screens.revoke, screens.show_name, screens.find):
            with pytest.raises(Missing):
                act(EVE, screen.pk)
        make.screen("LOBBY")
        assert [(one.screen.name, one.is_open) for one in screens.listed(EVE)] == [("LOBBY", False), ("Lobby", False)]
        now = timezone.now()
        for days, left in ((29, 2), (31, 1)):
            screens.forget((now + timedelta(days=days)).timestamp())
            assert Screen.objects.count() == left

    @pytest.mark.parametrize("act", [screens.revoke, lambda by, id: screens.change(by, id, {"name": "Hall"})])
    @pytest.mark.parametrize("meanwhile", ["revoked", "given to others"])
    def test_whoever_waited_for_its_row_looks_again(
        self, monkeypatch: pytest.MonkeyPatch, meanwhile: str, act: Callable[[Principal, int], Screen]
    ) -> None:
        screen, _ = make.screen("Lobby", "shop")
        ops = make.team("ops")

        def locked(found: Screen) -> Screen:
            """Return as a lock does that somebody else had until now."""
            monkeypatch.undo()
            if meanwhile == "revoked":
                screens.revoke(SYSTEM, screen.pk)
            else:
                screens.change(SYSTEM, screen.pk, {"access": Access(everyone=False, teams=[ops.name])})
            return found

        monkeypatch.setattr(locks, "locked", locked)
        with pytest.raises(Missing):
            act(EVE, screen.pk)
        assert Screen.objects.get().name == "Lobby"
        assert not AuditEntry.objects.filter(noun="screen", by=EVE.name).exists()

    def test_it_says_its_name(self, sent: list[tuple[Any, ...]]) -> None:
        screen, _ = make.screen("<Lobby>")
        screens.show_name(EVE, screen.pk)
        html = '<p id="screen-name" class="screen-name" role="status">&lt;Lobby&gt;</p>'
        assert sent == [(f"screen:{screen.pk}", "screen-name", html)]


@pytest.mark.parametrize(
    ("everyone", "teams", "said"),
    [
        (True, [], ["Lobby"]),
        (True, ["night"], ["Lobby"]),
        (False, ["day"], ["1 of other teams"]),
        (False, ["night", "day"], ["Lobby"]),
        (False, ["night"], []),
        (False, [], []),
    ],
)
def test_a_dashboard_of_a_team_knows_screens_that_are_not_for_it_alone(
    everyone: bool, teams: list[str], said: list[str]
) -> None:
    night, _ = make.team("night"), make.team("day")
    nora = Principal("user", "user nora", Role.EDITOR, 7, frozenset({night.pk}))
    closed = make.dashboard("closed", teams=[night])
    gone, _ = make.screen("Gone", "closed")
    screens.revoke(SYSTEM, gone.pk)
    make.screen("Lobby", "closed", access=Access(everyone=everyone, teams=teams))
    assert screens.shared_wider(nora, closed) == said
    make.screen("Hall", "shop")
    assert screens.shared_wider(nora, Dashboard.objects.get(slug="shop")) == []
