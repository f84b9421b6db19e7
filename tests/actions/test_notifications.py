"""Notifications: who is told, once for a key, what is unread, and every tab of a person."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM, Principal, Role, of_token, of_user
from metrics.actions import notifications, rooms
from metrics.actions.errors import Forbidden, Invalid
from metrics.actions.notifications import Notice
from metrics.live import bus
from metrics.live.bus import Addressee
from metrics.models import Notification, NotificationSettings, Team, Token, Watch
from tests import make

Sent = list[dict[str, tuple[int, int, bool]]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The elements that were sent to people: user and target."""
    found: list[tuple[int, str]] = []
    monkeypatch.setattr(bus, "send_to", lambda to, target, swap, html: found.append((to.id, target)))
    return found


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The messages that went out: for each, by name, the number, how many are unread, and whether it shows."""
    found: Sent = []

    def keep(people: list[Addressee], html: str, data: dict[str, Any]) -> None:
        names = dict(User.objects.values_list("pk", "username"))
        found.append({names[one.user]: one[1:] for one in people})

    monkeypatch.setattr(bus, "notify", keep)
    return found


@pytest.fixture
def people() -> dict[str, User]:
    made = {name: make.user(name) for name in ("ada", "bob", "eve")}
    make.user("gone", is_active=False).groups.add(make.team("ops", made["ada"], made["bob"]))
    return made


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("user:ada", ["ada"]),
        ("team:ops", ["ada", "bob"]),
        ("everyone", ["ada", "bob", "eve"]),
        ("watchers:dashboard:{shop}", ["bob", "eve"]),
    ],
)
def test_who_is_told(people: dict[str, User], sent: Sent, to: str, told: list[str]) -> None:
    shop = make.dashboard()
    for name in ("bob", "eve"):
        Watch.objects.create(user=people[name], noun="dashboard", thing=str(shop.pk))
    assert notifications.notify(SYSTEM, to.format(shop=shop.pk), "deploy", "1.2 is out", "/d/shop/") == len(told)
    assert [one.user.username for one in Notification.objects.order_by("pk")] == told
    assert sent == [dict.fromkeys(told, (1, 1, True))], "one message for all"


@pytest.mark.parametrize(
    "path", ["/d/shop/", "/d/shop/edit/?x=1", "/wall/shop/#a", "/sources/{source}/", "/rooms/{room}/"]
)
def test_who_may_not_see_what_it_is_about_is_not_told(people: dict[str, User], sent: Sent, path: str) -> None:
    ops = Team.objects.get(name="ops")
    make.dashboard(teams=[ops])
    source, room = make.source(), rooms.create(SYSTEM, "War", {"everyone": False, "teams": ["ops"]})
    source.for_everyone = False
    source.save()
    source.teams.set([ops])
    about = path.format(source=source.pk, room=room.pk)
    assert notifications.notify(SYSTEM, "everyone", "deploy", "x", about) == 2
    assert notifications.send(SYSTEM, [one.pk for one in people.values()], "deploy", "x", about) == 2
    assert [sorted(one) for one in sent] == [["ada", "bob"], ["ada", "bob"]]


def test_how_many_are_told_is_no_way_to_find_out_what_one_may_not_see(people: dict[str, User]) -> None:
    make.token("bot", "edit", [make.team("dev")])
    bot = of_token(Token.objects.get(name="bot"))
    room = rooms.create(SYSTEM, "War", {"everyone": False, "teams": ["ops"]}).pk
    told = [notifications.notify(bot, "everyone", "deploy", "x", f"/rooms/{id}/") for id in (room, room + 1)]
    assert told == [len(people)] * 2


def test_watchers_who_may_not_see_it_any_more_or_did_it_themselves_are_not_told(
    people: dict[str, User], sent: Sent
) -> None:
    shop = make.dashboard(teams=[Team.objects.get(name="ops")])
    for user in people.values():
        Watch.objects.create(user=user, noun="dashboard", thing=str(shop.pk))
    assert notifications.send(of_user(people["ada"]), f"watchers:dashboard:{shop.pk}", "change", "x") == 1
    assert [list(one) for one in sent] == [["bob"]]
    # An action tells them though it has just taken the thing out of the sight of whoever did it; nobody else can.
    assert notifications.send(of_user(people["eve"]), f"watchers:dashboard:{shop.pk}", "change", "x") == 2
    eve = replace(of_user(people["eve"]), role=Role.EDITOR)
    with pytest.raises(Invalid, match=r"^to: there is no dashboard '\d+' to watch\.$"):
        notifications.notify(eve, f"watchers:dashboard:{shop.pk}", "change", "x")


@pytest.mark.parametrize("about", ["", "/d/shop/"])
def test_however_many_they_are_the_queries_are_the_same(people: dict[str, User], about: str) -> None:
    make.dashboard(teams=[Team.objects.get(name="ops")])
    User.objects.bulk_create([User(username=f"u{n}") for n in range(20)])
    Team.objects.get(name="ops").user_set.set(User.objects.filter(is_active=True))
    counts: list[int] = []
    for to in ("team:ops", "user:ada", "team:ops"):
        with CaptureQueriesContext(connection) as queries:
            notifications.notify(SYSTEM, to, "deploy", "x", about, key=f"k-{len(counts)}")
        counts.append(len(queries))
        assert sum(one["sql"].startswith('INSERT INTO "metrics_notification"') for one in queries) == 1
    assert counts[1] <= counts[2] <= counts[1] + 1, "a team is looked up"
    assert counts[2] <= 17


def test_many_at_once_are_a_few_queries_and_each_is_told_as_if_alone(people: dict[str, User], sent: Sent) -> None:
    counts: list[int] = []
    for many in (1, 10):
        made = [rooms.create(SYSTEM, f"War {many} {number}").pk for number in range(many)]
        notices = [Notice("everyone", f"x {pk}", f"/rooms/{pk}/", f"k-{pk}") for pk in made]
        notices += [Notice("user:nobody", "y"), Notice("team:ops", "again", key=f"k-{made[0]}")]
        with CaptureQueriesContext(connection) as queries:
            outcomes = notifications.send_all(SYSTEM, "deploy", notices)
        counts.append(len(queries) - len(sent[-many:]))  # what notes who was sent something asks for names
        assert outcomes[:many] == [3] * many
        assert isinstance(outcomes[many], Invalid)
        assert outcomes[many + 1] == 2, "they know it already, and count"
    assert counts[1] <= counts[0]
    for user in people.values():
        numbers = Notification.objects.filter(user=user).order_by("pk").values_list("number", flat=True)
        assert list(numbers) == list(range(1, 12))
    assert [list(one) for one in sent] == [["ada", "bob", "eve"]] * 11


def test_quiet_hours_and_silent_kinds_are_kept_and_counted(people: dict[str, User], sent: Sent) -> None:
    NotificationSettings.objects.create(user=people["ada"], silent_kinds=["deploy"])
    NotificationSettings.objects.create(user=people["bob"], quiet_from=time(0, 0), quiet_until=time(23, 59, 59, 999999))
    notifications.notify(SYSTEM, "everyone", "deploy", "x")
    notifications.notify(SYSTEM, "everyone", "other", "x")
    assert sent == [
        {"ada": (1, 1, False), "bob": (1, 1, False), "eve": (1, 1, True)},
        {"ada": (2, 2, True), "bob": (2, 2, False), "eve": (2, 2, True)},
    ]


def test_nobody_is_told_twice_with_the_same_key(people: dict[str, User]) -> None:
    for to in ("user:ada", "everyone", "everyone"):
        notifications.notify(SYSTEM, to, "deploy", "x", key="k-1")
    assert Notification.objects.count() == 3
    notifications.notify(SYSTEM, "user:ada", "deploy", "x")
    notifications.notify(SYSTEM, "user:ada", "deploy", "x")
    assert [one.number for one in notifications.newest(people["ada"].pk)] == [3, 2, 1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": "ada"}, "to"),
        ({"to": "user:"}, "to"),
        ({"to": "user:nobody"}, "to"),
        ({"to": "user:gone"}, "to"),
        ({"to": "watchers:dashboard"}, "to"),
        ({"to": "watchers:dashboard:99"}, "to"),
        ({"to": "watchers:user:1"}, "to"),
        ({"kind": ""}, "kind"),
        ({"kind": "x" * 31}, "kind"),
        ({"to": "team:none"}, "to"),
        ({"text": " "}, "text"),
        ({"text": "x" * 1001}, "text"),
        ({"text": "a\x00"}, "text"),
        ({"about": "https://elsewhere.example/"}, "about"),
        ({"about": "//elsewhere.example/"}, "about"),
        ({"about": "/\\elsewhere.example/"}, "about"),
        ({"about": "/\t/elsewhere.example/"}, "about"),
        ({"about": "javascript:alert(1)"}, "about"),
        ({"key": "x" * 101}, "key"),
    ],
)
def test_what_can_not_be_is_refused(people: dict[str, User], changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=r"\.$") as refused:
        notifications.notify(SYSTEM, **{"to": "user:ada", "kind": "deploy", "text": "x", **changes})
    assert (refused.value.field, Notification.objects.count()) == (field, 0)


def test_opening_what_it_is_about_reads_it(people: dict[str, User], rung: list[tuple[int, str]]) -> None:
    for about in ("/d/shop/", "/d/shop/?range=1h", "/d/shop/#w-cpu", "/d/shop-2/", "", "/d/"):
        notifications.notify(SYSTEM, "user:ada", "deploy", "x", about)
    notifications.mark_opened(people["bob"].pk, "/d/shop/")
    notifications.mark_opened(people["ada"].pk, "/d/shop/")
    assert [one.about for one in notifications.newest(people["ada"].pk) if not one.read_at] == ["/d/", "", "/d/shop-2/"]
    assert rung == [(people["ada"].pk, "bell")]


def test_kinds_and_pages_of_what_came(people: dict[str, User]) -> None:
    for kind in ("a", "b") * 30:
        notifications.notify(SYSTEM, "user:ada", kind, "x")
    ada = people["ada"].pk
    assert [one.number for one in notifications.newest(ada, kind="a", most=2)] == [59, 57]
    assert [one.number for one in notifications.newest(ada, 50, 2)] == [49, 48]
    assert [len(notifications.newest(ada, least=least)) for least in (58, 5)] == [50, 56]
    notifications.mark_read(ada, kind="b")
    assert notifications.unread(ada) == 30


def test_viewers_tell_nobody(people: dict[str, User]) -> None:
    with pytest.raises(Forbidden, match="only editors and administrators may create notifications"):
        notifications.notify(Principal("user", "user eve", Role.VIEWER, 7), "everyone", "x", "x")


def test_what_is_read_counts_no_more(people: dict[str, User], rung: list[tuple[int, str]]) -> None:
    ada = people["ada"].pk
    for n in range(3):
        notifications.notify(SYSTEM, "everyone", "deploy", str(n))
    rung.clear()
    notifications.mark_read(ada, 2)
    assert (notifications.unread(ada), rung) == (2, [(ada, "bell")])
    notifications.mark_read(ada, 2)
    assert rung == [(ada, "bell")], "nothing changed"
    notifications.mark_read(ada)
    assert (notifications.unread(ada), notifications.unread(people["bob"].pk)) == (0, 3)


def test_old_ones_are_removed(people: dict[str, User]) -> None:
    notifications.notify(SYSTEM, "user:ada", "deploy", "x")
    at = Notification.objects.get().at
    notifications.forget((at + timedelta(days=90)).timestamp())
    assert Notification.objects.exists()
    notifications.forget((at + timedelta(days=90, seconds=1)).timestamp())
    assert not Notification.objects.exists()
