"""The one policy: every principal, every verb, every thing; and the rows that each principal sees."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from metrics.access.bearer import bearer
from metrics.access.policy import (
    ACKNOWLEDGE,
    CHANGE,
    CREATE,
    DELETE,
    NEEDS,
    OTHERS_GROUPS,
    OWN_METRICS,
    PUSH,
    SAMPLES,
    SAY,
    SEE,
    SEE_CONFIG,
    TRUSTED,
    WATCHING,
    Forbidden,
    check,
    hidden_from,
    hidden_on,
    may,
    may_watch,
    visible,
)
from metrics.access.principal import NOBODY, SYSTEM, Principal, Role, of_link, of_screen, of_token, of_user
from metrics.access.sharing import Access
from metrics.actions import (
    alert_webhooks,
    annotations,
    dashboards,
    heartbeats,
    links,
    maintenance,
    messages,
    notifications,
    rooms,
    rules,
    schedules,
    silences,
    sources,
    users,
)
from metrics.actions.maintenance import Window
from metrics.alerts.matchers import Matcher
from metrics.models import (
    Alert,
    AlertEvent,
    AlertWebhook,
    Annotation,
    AuditEntry,
    Channel,
    Dashboard,
    Delivery,
    Escalation,
    Heartbeat,
    Incident,
    Invitation,
    Link,
    Maintenance,
    Notification,
    Room,
    Rule,
    Schedule,
    Screen,
    Series,
    Silence,
    Source,
    Team,
    Token,
)
from metrics.widgets.ranges import RANGES_S
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

FAR = datetime(2999, 1, 1, tzinfo=UTC)
VERBS = (SEE, SEE_CONFIG, CREATE, CHANGE, DELETE, SAY, ACKNOWLEDGE)


@pytest.fixture
def principals() -> dict[str, Principal]:
    """One of every kind; `ops` is the team of the things that have one."""
    ops, night = Team.objects.get(name="ops"), Team.objects.get(name="night")

    def user(name: str, team: Team, **fields: Any) -> Principal:
        made = User.objects.filter(username=name).first() or make.user(name, **fields)
        made.groups.add(team)
        return of_user(made)

    def token(scope: str, *teams: Team) -> Principal:
        found = bearer(make.token(" ".join([scope, *map(str, teams)]), scope, teams))
        assert found is not None
        return of_token(found)

    return {
        "nobody": of_user(AnonymousUser()),
        "inactive": user("gone", ops, is_active=False, is_superuser=True),
        "viewer": user("vera", night),
        "viewer in ops": user("vic", ops),
        "editor": user("eve", night, is_staff=True),
        "editor in ops": user("ed", ops, is_staff=True),
        "administrator": user("ann", night, is_superuser=True),
        "push token": token("push"),
        "read token": token("read"),
        "read token of ops": token("read", ops),
        "edit token": token("edit"),
        "edit token of ops": token("edit", ops),
        "edit token of night": token("edit", night),
        "admin token": token("admin"),
        "link": of_link(Link.objects.get(name="to in ops")),
        "screen": of_screen(Screen.objects.get(name="in ops")),
        "system": SYSTEM,
    }


def told() -> Notification:
    notifications.notify(SYSTEM, "user:zoe", "deploy", "x")
    return Notification.objects.get()


def channels_and_deliveries(team: Team) -> dict[str, Any]:
    """One of a team, and one of the installation."""
    found: dict[str, Any] = {}
    for name, owner in (("of ops", team), ("of the installation", None)):
        channel = Channel.objects.create(name=name, kind="mail", team=owner)
        at = datetime.now(UTC)
        sent = Delivery.objects.create(channel=channel, key="1", document={}, created_at=at, next_at=at)
        found |= {f"channel {name}": channel, f"delivery {name}": sent}
    return found


@pytest.fixture
def things() -> dict[str, Any]:
    """A thing for each answer that the policy has."""
    ops = make.team("ops")
    make.team("night")
    shared = {
        "anyone's": (True, []),
        "shown by ops": (True, ["ops"]),
        "in ops": (False, ["ops"]),
        "hidden": (False, []),
    }
    found: dict[str, Any] = {}
    for name, (everyone, teams) in shared.items():
        access = {"everyone": everyone, "teams": teams}
        slug = name.replace(" ", "-").replace("'", "")
        document = {"slug": slug, "title": name, "access": access, "widgets": []}
        found[f"dashboard {name}"] = dashboards.create(SYSTEM, document)
        source = sources.create(SYSTEM, "host", name, 10, {}, access=Access(**access))
        found[f"source {name}"] = source
        condition = {"kind": "threshold", "above": 1}
        rule = rules.create(
            SYSTEM, {"name": name, "query": {"metric": "cpu"}, "condition": condition}, Access(**access)
        )
        found[f"rule {name}"] = rule
        found[f"alert {name}"] = Alert.objects.create(rule=rule, key=name, since_ms=0, seen_at_ms=0)
        found[f"silence {name}"] = silences.set(
            SYSTEM, [Matcher("a", "=", "b")], None, FAR, name, access=Access(**access)
        )
        found[f"maintenance {name}"] = maintenance.create(
            SYSTEM, [Matcher("a", "=", "b")], Window(url="https://example.org/"), name, Access(**access)
        )
        found[f"annotation {name}"] = annotations.create(SYSTEM, name, access=Access(**access))
        found[f"schedule {name}"] = schedules.create(SYSTEM, {"name": name}, Access(**access))
        found[f"webhook {name}"], _ = alert_webhooks.create(SYSTEM, name, {"name": "a"}, Access(**access))
        found[f"screen {name}"], _ = make.screen(name, slug, access=Access(**access))
        found[f"room {name}"] = rooms.create(SYSTEM, name, access)
        make.stored("cpu", {10: 1}, source, of=name)
        found[f"series {name}"] = Series.objects.get(source=source)
        found[f"room of the dashboard {name}"] = rooms.of_dashboard(found[f"dashboard {name}"])
        found[f"incident {name}"] = make.incident(name, everyone, [Team.objects.get(name=one) for one in teams])
        found[f"event {name}"] = AlertEvent.objects.create(
            number=AlertEvent.objects.count() + 1, at=FAR, data={}, for_everyone=everyone
        )
        found[f"event {name}"].teams.set([Team.objects.get(name=one) for one in teams])
        found[f"room of the incident {name}"] = rooms.of_incident(found[f"incident {name}"])
    make.stored("loose", {10: 1})
    secret = make.token("ops job", "read", [ops])
    zoe, vera, _ = make.user("zoe"), make.user("vera"), make.user("ed", is_staff=True)
    people = ["vera", "ed"]
    found["room of people"] = rooms.create(SYSTEM, "people", people=people)
    found["room of ops and people"] = rooms.create(
        SYSTEM, "ops and people", {"everyone": False, "teams": ["ops"]}, people
    )
    found["room for everyone with people"] = rooms.create(SYSTEM, "everyone, with people", {"everyone": True}, people)
    found["room of two"] = rooms.direct(of_user(vera), "ed")
    found["message of vera"] = messages.say(of_user(vera), found["room of ops and people"].pk, "x")
    for name in ("anyone's", "in ops"):
        found[f"link to {name}"], _ = links.create(SYSTEM, found[f"dashboard {name}"].slug, f"to {name}")
    return {
        **found,
        "series of no source": Series.objects.get(source=None),
        "escalation of ops": Escalation.objects.create(team=ops, spec={}),
        "escalation": Escalation.objects.create(spec={}),
        "heartbeat": heartbeats.create(SYSTEM, "backup", every_s=60),
        **channels_and_deliveries(ops),
        "token of ops": Token.objects.get(digest=Token.digest_of(secret)),
        "token of all": Token.objects.get(digest=Token.digest_of(make.token("all", "read"))),
        "team ops": ops,
        "user": zoe,
        "notification": told(),
        "invitation": Invitation.objects.get(digest=Invitation.digest_of(users.invite(SYSTEM, "viewer"))),
        "audit": AuditEntry.objects.first(),
        **{name: name for name in (OWN_METRICS, WATCHING, TRUSTED, OTHERS_GROUPS)},
    }


ALL = {"administrator", "admin token", "system"}
EDITORS = {*ALL, "editor", "editor in ops", "edit token", "edit token of ops", "edit token of night"}
OPS_EDITORS = {*ALL, "editor in ops", "edit token", "edit token of ops"}
VIEWERS = {*EDITORS, "viewer", "viewer in ops", "read token", "read token of ops"}
OPS_VIEWERS = {*OPS_EDITORS, "viewer in ops", "read token", "read token of ops"}
OPS_MEMBERS = {*ALL, "editor in ops", "edit token of ops"}
UNBOUND = {"read token", "edit token"}
READERS = {"read token", "read token of ops"}

MAY: dict[str, dict[str, set[str]]] = {
    **{
        f"{noun} {name}": {SEE: see, CREATE: EDITORS, CHANGE: change, DELETE: change}
        for noun in ("dashboard", "source", "rule", "silence", "maintenance", "schedule", "annotation")
        for name, see, change in (
            ("anyone's", VIEWERS, EDITORS),
            ("shown by ops", VIEWERS, OPS_EDITORS),
            ("in ops", OPS_VIEWERS, OPS_EDITORS),
            ("hidden", {*ALL, *UNBOUND}, {*ALL, "edit token"}),
        )
    },
    **{
        f"{noun} {name}": {SEE: see, CREATE: EDITORS, CHANGE: change, DELETE: change}
        for noun in ("webhook", "screen")
        for name, see, change in (
            ("anyone's", EDITORS, EDITORS),
            ("shown by ops", EDITORS, OPS_EDITORS),
            ("in ops", OPS_EDITORS, OPS_EDITORS),
            ("hidden", {*ALL, "edit token"}, {*ALL, "edit token"}),
        )
    },
    "dashboard in ops": {
        SEE: {*OPS_VIEWERS, "link", "screen"},
        CREATE: EDITORS,
        CHANGE: OPS_EDITORS,
        DELETE: OPS_EDITORS,
    },
    "link to anyone's": {SEE: EDITORS, CREATE: EDITORS, DELETE: EDITORS},
    "link to in ops": {SEE: OPS_EDITORS, CREATE: EDITORS, DELETE: OPS_EDITORS},
    **{
        f"room {name}": {SEE: see, CREATE: EDITORS, CHANGE: change, DELETE: change, SAY: see - READERS}
        for name, see, change in (
            ("anyone's", VIEWERS, EDITORS),
            ("shown by ops", VIEWERS, OPS_EDITORS),
            ("in ops", OPS_VIEWERS, OPS_EDITORS),
            ("hidden", {*ALL, *UNBOUND}, {*ALL, "edit token"}),
        )
    },
    **{
        f"room of the dashboard {name}": {SEE: see, CREATE: EDITORS, CHANGE: change, DELETE: change, SAY: see - READERS}
        for name, see, change in (
            ("anyone's", VIEWERS, EDITORS),
            ("shown by ops", VIEWERS, OPS_EDITORS),
            ("in ops", OPS_VIEWERS, OPS_EDITORS),
            ("hidden", {*ALL, *UNBOUND}, {*ALL, "edit token"}),
        )
    },
    **{
        f"room {name}": {SEE: see, CREATE: EDITORS, CHANGE: change, DELETE: change, SAY: see - READERS}
        for name, see, change in (
            ("of people", {*ALL, *UNBOUND, "viewer", "editor in ops"}, {*ALL, "edit token", "editor in ops"}),
            ("of ops and people", {*OPS_VIEWERS, "viewer"}, OPS_EDITORS),
            ("for everyone with people", VIEWERS, {*ALL, "edit token", "editor in ops"}),
        )
    },
    "alert anyone's": {SEE: VIEWERS, ACKNOWLEDGE: EDITORS},
    "alert shown by ops": {SEE: VIEWERS, ACKNOWLEDGE: EDITORS},
    "alert in ops": {SEE: OPS_VIEWERS, ACKNOWLEDGE: OPS_EDITORS},
    "alert hidden": {SEE: {*ALL, *UNBOUND}, ACKNOWLEDGE: {*ALL, "edit token"}},
    **{
        f"event {name}": {SEE: see}
        for name, see in (
            ("anyone's", VIEWERS),
            ("shown by ops", VIEWERS),
            ("in ops", OPS_VIEWERS),
            ("hidden", {*ALL, *UNBOUND}),
        )
    },
    **{
        f"incident {name}": {SEE: see, ACKNOWLEDGE: see & EDITORS, CHANGE: change}
        for name, see, change in (
            ("anyone's", VIEWERS, EDITORS),
            ("shown by ops", VIEWERS, OPS_EDITORS),
            ("in ops", OPS_VIEWERS, OPS_EDITORS),
            ("hidden", {*ALL, *UNBOUND}, {*ALL, "edit token"}),
        )
    },
    **{
        f"room of the incident {name}": {SEE: see, CREATE: EDITORS, CHANGE: change, SAY: see - READERS, DELETE: change}
        for name, see, change in (
            ("anyone's", VIEWERS, EDITORS),
            ("shown by ops", VIEWERS, OPS_EDITORS),
            ("in ops", OPS_VIEWERS, OPS_EDITORS),
            ("hidden", {*ALL, *UNBOUND}, {*ALL, "edit token"}),
        )
    },
    "escalation of ops": {SEE: OPS_VIEWERS, CHANGE: OPS_EDITORS},
    "escalation": {SEE: VIEWERS, CHANGE: {*ALL, "edit token"}},
    "message of vera": {CHANGE: {"viewer"}, DELETE: {"viewer", *OPS_EDITORS}},
    "room of two": {SEE: {"viewer", "editor in ops"}, CREATE: EDITORS, SAY: {"viewer", "editor in ops"}},
    "notification": {CREATE: EDITORS},
    "series anyone's": {SEE: VIEWERS},
    "series shown by ops": {SEE: VIEWERS},
    "series in ops": {SEE: OPS_VIEWERS},
    "series hidden": {SEE: {*ALL, *UNBOUND}},
    "series of no source": {SEE: VIEWERS},
    "heartbeat": {SEE: VIEWERS, CREATE: EDITORS, CHANGE: EDITORS, DELETE: EDITORS},
    "channel of ops": {SEE: OPS_EDITORS, CREATE: EDITORS, CHANGE: OPS_EDITORS, DELETE: OPS_EDITORS},
    "channel of the installation": {SEE: ALL, CREATE: EDITORS, CHANGE: ALL, DELETE: ALL},
    "delivery of ops": {SEE: OPS_EDITORS},
    "delivery of the installation": {SEE: ALL},
    "token of ops": {SEE: OPS_MEMBERS, CREATE: EDITORS, CHANGE: OPS_MEMBERS, DELETE: OPS_MEMBERS},
    "token of all": {SEE: ALL, CREATE: EDITORS, CHANGE: ALL, DELETE: ALL},
    "team ops": {SEE: OPS_VIEWERS, CREATE: ALL, CHANGE: ALL, DELETE: ALL},
    "user": {SEE: ALL, CREATE: ALL, CHANGE: ALL, DELETE: ALL},
    "invitation": {SEE: ALL, CREATE: ALL, CHANGE: ALL, DELETE: ALL},
    "audit": {SEE: ALL},
    OWN_METRICS: {SEE: VIEWERS},
    WATCHING: {SEE: EDITORS},
    TRUSTED: {CREATE: ALL},
    OTHERS_GROUPS: {CHANGE: ALL},
}
for _name, _verbs in MAY.items():
    if _name.startswith("source "):
        _verbs[SEE_CONFIG] = _verbs[SEE] & EDITORS
"""Principals by thing and verb; a verb that is left out, nobody may."""


def table(things: dict[str, Any], principals: dict[str, Principal], name: str, verb: str) -> set[str]:
    thing = things[name] if verb != CREATE or isinstance(things[name], str) else type(things[name])
    return {who for who, by in principals.items() if may(by, verb, thing)}


def test_every_principal_with_every_verb(things: dict[str, Any], principals: dict[str, Principal]) -> None:
    found = {name: {verb: table(things, principals, name, verb) for verb in VERBS} for name in MAY}
    assert found == {name: {verb: may.get(verb, set()) for verb in VERBS} for name, may in MAY.items()}


def test_every_thing_is_looked_at(things: dict[str, Any]) -> None:
    assert set(things) == set(MAY)
    assert {thing if isinstance(thing, str) else type(thing) for thing in things.values()} == set(NEEDS) - {SAMPLES}


def test_a_token_that_does_everything_is_made_by_those_who_may(
    things: dict[str, Any], principals: dict[str, Principal]
) -> None:
    assert {who for who, by in principals.items() if may(by, CREATE, Token(scope=Token.Scope.ADMIN))} == ALL
    assert {who for who, by in principals.items() if may(by, CREATE, Token(scope=Token.Scope.EDIT))} == EDITORS


def test_samples_are_pushed_by_tokens_for_it(things: dict[str, Any], principals: dict[str, Principal]) -> None:
    assert table({SAMPLES: SAMPLES}, principals, SAMPLES, PUSH) == {"push token", "admin token", "system"}


def test_the_rows_that_are_visible_are_those_one_may_see(
    things: dict[str, Any], principals: dict[str, Principal], django_assert_max_num_queries: Any
) -> None:
    models: tuple[Any, ...] = (
        Dashboard,
        Source,
        Rule,
        Alert,
        AlertEvent,
        AlertWebhook,
        Annotation,
        Incident,
        Escalation,
        Maintenance,
        Schedule,
        Screen,
        Silence,
        Channel,
        Delivery,
        Series,
        Heartbeat,
        Room,
        Token,
        Team,
        User,
        Invitation,
        AuditEntry,
    )
    for model, (who, by) in product((*models, Link), principals.items()):
        is_shown = by.shown is not None and model is Dashboard
        with django_assert_max_num_queries(0 if by.role < NEEDS[model][SEE] and not is_shown else 1):
            seen = {row.pk for row in visible(by, model)}
        assert seen == {row.pk for row in model._default_manager.all() if may(by, SEE, row)}, f"{who}: {model}"


def test_hidden_sources_are_those_whose_series_one_may_not_see(
    things: dict[str, Any], principals: dict[str, Principal]
) -> None:
    for who, by in principals.items():
        if by.role >= Role.VIEWER:
            hidden = {source.pk for source in Source.objects.all() if not may(by, SEE, source)}
            assert hidden_from(by) == hidden, who


def test_a_dashboard_draws_the_sources_of_its_teams(things: dict[str, Any]) -> None:
    for name, hidden in {
        "anyone's": {"in ops", "hidden"},
        "shown by ops": {"hidden"},
        "in ops": {"hidden"},
        "hidden": {"in ops", "hidden"},
    }.items():
        assert hidden_on(things[f"dashboard {name}"].pk) == {Source.objects.get(name=one).pk for one in hidden}


def test_one_that_is_not_saved_draws_what_is_for_everyone(things: dict[str, Any]) -> None:
    assert hidden_on(None) == {Source.objects.get(name=one).pk for one in ("in ops", "hidden")}


REFUSALS: dict[str, tuple[str, str | type, str]] = {
    "viewer": (
        CHANGE,
        "dashboard anyone's",
        "You are a viewer: only editors and administrators may change dashboards.",
    ),
    "editor": (
        CHANGE,
        "dashboard in ops",
        "Only editors of ops and administrators may change the dashboard in ops.",
    ),
    "read token": (
        CREATE,
        Source,
        "This token is for a viewer: only editors and administrators may create sources.",
    ),
    "edit token of ops": (DELETE, "source hidden", "Only administrators may delete the source hidden."),
    "edit token": (SEE, AuditEntry, "This token is for an editor: only administrators may see audit entries."),
    "nobody": (SEE, WATCHING, "You are nobody: only editors and administrators may see open pages."),
    "editor in ops": (CREATE, AuditEntry, "Nobody may create audit entries."),
    "link": (CHANGE, "dashboard in ops", "This link shows one dashboard, and does not change dashboards."),
    "screen": (SEE, "series in ops", "This screen shows one dashboard, and does not see series."),
}


def test_a_refusal_says_who_may(things: dict[str, Any], principals: dict[str, Principal]) -> None:
    for who, (verb, thing, said) in REFUSALS.items():
        with pytest.raises(Forbidden) as refused:
            check(principals[who], verb, things.get(thing, thing) if isinstance(thing, str) else thing)
        assert str(refused.value) == said


def test_nobody_is_a_principal_too() -> None:
    assert of_user(AnonymousUser()) == NOBODY


@pytest.mark.parametrize(
    ("range", "values", "seen", "hidden"),
    [
        ("", {}, [("1h", {}), ("7d", {"host": ["b"]})], []),
        ("1h", {}, [("1h", {"host": ["b"]})], [("7d", {}), ("", {})]),
        (
            "1h",
            {"host": ["a"]},
            [("1h", {"host": ["a"]})],
            [("1h", {"host": ["b"]}), ("7d", {"host": ["a"]}), ("1h", {})],
        ),
        (
            "",
            {"host": ["a", "b"]},
            [("1h", {"host": ["b", "a"]}), ("7d", {"host": ["a", "b"], "shop": ["x"]})],
            [("1h", {"host": ["a"]}), ("1h", {"shop": ["a", "b"]}), ("1h", {"host": ["*"]})],
        ),
        ("", {"gone": ["a"]}, [], [("1h", {"gone": ["a"]})]),
    ],
)
def test_a_link_shows_its_own_range_and_values_alone(range: str, values: Any, seen: Any, hidden: Any) -> None:
    shop, other = make.dashboard("shop"), make.dashboard("other")
    shop.variables = [{"name": "host"}, {"name": "shop"}]
    by = of_link(Link(dashboard=shop, name="lobby", range=range, variables=values))
    for watched, asked in [*seen, *hidden]:
        assert may_watch(by, shop, watched, asked) is ((watched, asked) in seen)
        assert not may_watch(by, shop, watched, asked, past=True)
        assert not may_watch(by, other, watched, asked)


def test_a_screen_shows_its_own_dashboard_over_its_own_range_alone() -> None:
    shop, other = make.dashboard("shop"), make.dashboard("other")
    for range, seen in (("", shop.range), ("7d", "7d")):
        by = of_screen(Screen(dashboard=shop, name="Lobby", range=range))
        assert [one for one in RANGES_S if may_watch(by, shop, one, {})] == [seen]
        assert not may_watch(by, shop, seen, {}, past=True)
        assert not may_watch(by, other, seen, {})


def test_a_screen_that_shows_nothing_sees_nothing() -> None:
    shop = make.dashboard("shop")
    dashboards.delete(SYSTEM, "shop", None)
    shop.refresh_from_db()
    for screen in (Screen(name="Lobby"), Screen(name="Lobby", dashboard=shop)):
        by = of_screen(screen)
        assert not may(by, SEE, shop)
        assert not visible(by, Dashboard, Dashboard.with_deleted.all()).exists()
