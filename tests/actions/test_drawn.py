"""Dashboards and rules of several teams: an editor of one adds nothing that draws what only another may see."""

import re
from datetime import UTC
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.access.sharing import Access
from metrics.actions import (
    alert_charts,
    annotations,
    dashboards,
    drafts,
    drawn,
    rehearsals,
    rule_files,
    rules,
    sources,
    untold,
)
from metrics.actions.errors import Invalid
from metrics.models import Dashboard, Rule, Schedule, Source, Team
from metrics.times import datetime_of
from metrics.widgets.untold import WORDS
from tests import html_form, make
from tests.make import widget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

REFUSED = r"draws sources that you may not see, so what you add has to be of series that you see\.$"
LATE: dict[str, Any] = {"kind": "late", "title": "late", "config": {}}


def live(source: str) -> dict[str, Any]:
    query = {"source": source, "promql": "up"}
    return {"kind": "number", "title": f"live of {source}", "config": {"queries": [query]}}


@pytest.fixture
def eve() -> Principal:
    """An editor of ops, on a dashboard of ops and finance, whose sources only they see."""
    eve = make.user("eve", is_staff=True)
    both = [make.team("finance"), make.team("ops", eve)]
    for team in both:
        access = Access(everyone=False, teams=[team.name])
        host = sources.create(SYSTEM, "host", f"{team} host", 10, {}, access=access)
        for metric in (team.name, "cpu"):
            make.stored(metric, {10: 1}, host, host=team.name)
        server = {"url": "http://192.0.2.1", "live": True}
        sources.create(SYSTEM, "promql", f"{team} server", 60, server, access=access)
    make.dashboard("both", [widget("finance")], teams=both)
    return of_user(eve)


def query(metric: str, **labels: Any) -> dict[str, Any]:
    return {"kind": "number", "title": metric, "config": {"queries": [{"metric": metric, "labels": labels}]}}


def test_who_sees_only_some_of_its_sources_adds_only_what_draws_those(eve: Principal) -> None:
    refused = [
        query("finance"),
        query("finance", host="$host"),
        query("cpu"),
        query("cpu", host=["ops", "finance"]),
        query("not_there_yet"),
        live("finance server"),
        live("no server"),
        LATE,
    ]
    for one in refused:
        with pytest.raises(Invalid, match=REFUSED) as problem:
            dashboards.add_widget(eve, "both", {**one, "kind": "line"} if one["title"] == "finance" else one, None)
        assert "finance" not in str(problem.value)
    for one in (query("ops"), query("cpu", host="ops"), live("ops server")):
        dashboards.add_widget(eve, "both", one, None)
    for one in refused:
        dashboards.add_widget(SYSTEM, "both", one, None)


def test_what_others_put_there_stays_but_is_not_made_to_say_more(eve: Principal) -> None:
    (key,) = Dashboard.objects.get().widgets.values_list("key", flat=True)
    dashboards.change_widget(eve, "both", key, {"title": "Pay", "x": 3, "y": 0}, None)
    state = drafts.current(eve, "both")
    state = drafts.duplicate_widget(eve, "both", key, state.version)
    drafts.publish(eve, "both", state.version)
    with pytest.raises(Invalid, match=REFUSED):
        dashboards.change_widget(eve, "both", key, {"kind": "line"}, None)
    grouped = {"queries": [{"metric": "finance", "group_by": ["host"]}]}
    with pytest.raises(Invalid, match=REFUSED):
        dashboards.change_widget(eve, "both", key, {"config": grouped}, None)
    dashboards.change(SYSTEM, "both", {"widgets": []}, None)
    with pytest.raises(Invalid, match=REFUSED):
        dashboards.restore_revision(eve, "both", 1, None)


def test_variables_offer_only_what_they_see(eve: Principal) -> None:
    def change(by: Principal, *variables: dict[str, Any]) -> None:
        dashboards.change(by, "both", {"variables": variables}, None)

    for one in (
        {"name": "host", "label": "host"},
        {"name": "host", "label": "host", "metric": "finance"},
        {"name": "host", "label": "host", "source": "finance server"},
        {"name": "host", "label": "person"},
    ):
        with pytest.raises(Invalid, match=REFUSED):
            change(eve, one)
    change(eve, {"name": "host", "label": "host", "metric": "ops"})
    change(eve, {"name": "host", "label": "host", "source": "ops server"})
    change(eve, {"name": "host", "values": ["ops"]})
    dashboards.add_widget(SYSTEM, "both", query("cpu", host="$host"), None)
    with pytest.raises(Invalid, match=REFUSED):
        change(eve, {"name": "host", "values": ["finance"]})


def test_a_preview_draws_what_they_see(eve: Principal) -> None:
    state = drafts.current(eve, "both")
    make.stored("elsewhere", {10: 1})
    documents = [query("finance"), query("cpu"), query("ops"), query("elsewhere"), LATE]
    spec = dashboards.parse({"slug": "new", "title": "New", "widgets": documents})
    shown = drafts.views(eve, state, spec.widgets, make.AT)
    assert [len(one.series) for one in shown] == [0, 1, 1, 1, 0]
    assert "finance" not in str(shown[:2] + shown[4:]).replace("title='finance'", "").replace("w-finance", "")
    with pytest.raises(Invalid, match=REFUSED):
        drafts.add_widget(eve, "both", query("cpu"), state.version)


def test_where_they_see_all_that_is_drawn_anything_is_added(eve: Principal) -> None:
    make.dashboard("own", teams=[Team.objects.get(name="ops")])
    make.dashboard("open")
    for slug in ("own", "open"):
        for one in (query("finance"), query("not_there_yet"), live("finance server"), LATE):
            dashboards.add_widget(eve, slug, one, None)


def test_it_is_shared_wider_by_whatever_draws_a_source(eve: Principal) -> None:
    """A query, a live one, all that is late, and the series that a deleted source left."""
    host = Source.objects.get(name="finance host")
    finance = [Team.objects.get(name="finance")]
    for one, names in ((query("cpu"), ["finance host"]), (live("finance server"), ["finance server"]),
                       (LATE, ["finance host"]), (query("ops"), []), (live("ops server"), [])):  # fmt: skip
        made = make.dashboard("pay", [one], teams=finance)
        assert drawn.shared_wider(made) == []
        Dashboard.objects.filter(pk=made.pk).update(for_everyone=True)
        made.refresh_from_db()
        assert [source.name for source in drawn.shared_wider(made)] == names
        dashboards.delete(SYSTEM, "pay", None)
    sources.delete(SYSTEM, host.pk)
    made = make.dashboard("pay", [query("cpu")], teams=list(Team.objects.all()))
    assert [source.pk for source in drawn.shared_wider(made)] == [host.pk, Source.objects.get(name="ops host").pk]


ABOVE = {"kind": "threshold", "above": 1}
NOT_THEIRS = (
    "query: this rule looks at sources that you may not see, so it can be changed to look only at series that you see."
)
LOOKED_AT: list[dict[str, Any]] = [
    {"query": {"metric": "finance"}},
    {"query": {"metric": "cpu"}},
    {"query": {"metric": "cpu", "labels": {"host": ["ops", "finance"]}}},
    {"query": {"metric": "not_there_yet"}},
    {"query": {"metric": "ops", "name": "A"}, "queries": [{"metric": "cpu", "name": "B"}], "expression": "A / B"},
    {"query": {}, "condition": {"kind": "source"}},
    {"query": {"labels": {"source": "finance host"}}, "condition": {"kind": "source"}},
]
"""Changes of a rule that have it look at what only finance may see, or wait for it."""


def rule(**access: Any) -> Rule:
    return rules.create(
        SYSTEM,
        {"name": "Both", "query": {"metric": "ops"}, "condition": ABOVE},
        Access(**{"everyone": False, "teams": ["finance", "ops"], **access}),
    )


@pytest.mark.parametrize("change", LOOKED_AT)
def test_who_sees_only_some_of_what_a_rule_looks_at_has_it_look_only_at_that(
    eve: Principal, change: dict[str, Any]
) -> None:
    made = rule()
    with pytest.raises(Invalid) as problem:
        rules.change(eve, made.pk, change)
    assert (problem.value.field, str(problem.value)) == ("query", NOT_THEIRS)
    assert Rule.objects.values().get() == {**Rule.objects.values().get(), "spec": made.spec, "revision": made.revision}
    rules.change(SYSTEM, made.pk, change)


def test_what_others_had_a_rule_look_at_stays(eve: Principal) -> None:
    made = rule()
    rules.change(SYSTEM, made.pk, {"query": {"metric": "finance"}})
    rules.change(
        eve, made.pk, {"severity": "critical", "condition": {**ABOVE, "above": 2}, "query": {"metric": "finance"}}
    )
    rules.change(eve, made.pk, {"query": {"metric": "cpu", "labels": {"host": "ops"}}})
    rules.change(eve, made.pk, {"query": {"labels": {"source": "ops host"}}, "condition": {"kind": "source"}})
    assert Rule.objects.get().spec["query"]["labels"] == {"source": "ops host"}


def test_where_they_see_all_that_a_rule_looks_at_it_looks_at_anything(eve: Principal) -> None:
    for access in ({"teams": ["ops"]}, {"everyone": True, "teams": []}):
        made = rule(**access)
        for change in LOOKED_AT:
            rules.change(eve, made.pk, {"queries": [], "expression": "", "condition": ABOVE, **change})
        rules.delete(SYSTEM, made.pk)
    with pytest.raises(Invalid, match=r"^access\.teams: only a member"):
        rules.create(eve, {"name": "x", "query": {"metric": "finance"}, "condition": ABOVE}, Access(teams=["finance"]))


def test_files_and_the_api_and_the_page_refuse_it_alike(eve: Principal, client: Client) -> None:
    made = rule()
    before = rule_files.export(SYSTEM, {})
    files = {name: text.replace("metric: ops", "metric: finance") for name, text in before.items()}
    with pytest.raises(Invalid, match=re.escape(NOT_THEIRS)):
        rule_files.apply(eve, rule_files.compare(eve, files))
    client.force_login(User.objects.get(username="eve"))
    url = f"/rules/{made.pk}/edit/"
    typed = html_form.form(client.get(url).content.decode(), url) | {"query-metric": "finance"}
    answer = client.post(url, {**typed, "teams": ["finance", "ops"]})
    assert answer.status_code == 422
    assert NOT_THEIRS.removeprefix("query: ").capitalize() in answer.content.decode()
    ops = make.token("bot", "edit", [Team.objects.get(name="ops")])
    answer = client.patch(
        f"/api/v1/rules/{made.pk}",
        {"query": {"metric": "finance"}},
        "application/json",
        headers={"Authorization": f"Bearer {ops}"},
    )
    assert (answer.status_code, answer.json()["detail"]) == (422, NOT_THEIRS)
    assert rule_files.export(SYSTEM, {}) == before


def test_a_rehearsal_tries_what_both_the_rule_and_they_see(eve: Principal) -> None:
    finance, ops = list(Team.objects.order_by("name"))
    spec = rules.checked({"name": "x", "query": {"metric": "cpu"}, "condition": ABOVE})
    for by, owners, count in (
        (eve, [finance, ops], 1),
        (eve, [finance], 0),
        (SYSTEM, [finance, ops], 2),
        (SYSTEM, [], 0),
    ):
        assert rehearsals.rehearsed(by, spec, owners, make.AT, UTC).looked_at == count
        assert len(alert_charts.rehearsal_for(by, spec, owners, "1h", make.AT).series) == count


def of_team(model: type[Any], name: str, **fields: Any) -> Any:
    made = model.objects.create(name=name, for_everyone=False, **fields)
    made.teams.set(Team.objects.filter(name=name))
    return made


def fact(kind: str, **config: Any) -> dict[str, Any]:
    return {"kind": kind, "title": kind, "config": config}


SHOWN = [
    ({"alerts": True}, fact("alerts"), fact("alerts", team="ops"), "alerts"),
    ({"on_call": True}, fact("on_call"), fact("on_call", team="ops"), "schedules"),
    ({"on_call": True}, fact("on_call", schedule="finance"), fact("on_call", schedule="ops"), "schedules"),
    ({"on_call": True}, fact("untold", of=["schedule"]), fact("on_call", team="ops"), "schedules"),
]
"""Things that finance has, a widget that shows them, one that does not, and the noun that the page says of those."""


def finance_has(what: dict[str, bool]) -> None:
    for name in ("finance", "ops"):
        if "alerts" in what:
            rules.create(
                SYSTEM,
                {"name": name, "query": {"metric": name}, "condition": ABOVE},
                Access(everyone=False, teams=[name]),
            )
        if "on_call" in what:
            of_team(Schedule, name)


@pytest.mark.parametrize(("what", "more", "own", "noun"), SHOWN)
def test_who_sees_only_some_of_the_facts_of_a_dashboard_adds_only_a_widget_of_those(
    eve: Principal, what: dict[str, bool], more: dict[str, Any], own: dict[str, Any], noun: str
) -> None:
    with pytest.raises(Invalid, match=r"of other teams"):  # it could wait for the first
        dashboards.add_widget(eve, "both", more, None)
    finance_has(what)
    with pytest.raises(
        Invalid, match=r"shows things of other teams that you may not see, so what you add has to be of"
    ):
        dashboards.add_widget(eve, "both", more, None)
    dashboards.add_widget(eve, "both", own, None)
    _, key = dashboards.add_widget(SYSTEM, "both", more, None)
    dashboards.change_widget(eve, "both", key, {"title": "Others"}, None)
    with pytest.raises(Invalid, match="of other teams"):
        dashboards.change_widget(eve, "both", key, {"config": {**more["config"], "rows": 5}}, None)
    made = make.dashboard("own", [more], teams=[Team.objects.get(name="ops")])
    assert drawn.shown_wider(made, make.AT) == []


@pytest.mark.parametrize(("what", "more", "own", "noun"), SHOWN)
def test_a_page_says_that_it_shows_facts_to_people_who_may_not_see_them(
    eve: Principal, what: dict[str, bool], more: dict[str, Any], own: dict[str, Any], noun: str, client: Client
) -> None:
    finance_has(what)
    finance = Team.objects.get(name="finance")
    made = make.dashboard("pay", [more], teams=[finance])
    assert drawn.shown_wider(made, make.AT) == []
    dashboards.change(SYSTEM, "pay", {"access": {"everyone": True, "teams": ["finance"]}}, None)
    assert drawn.shown_wider(Dashboard.objects.get(slug="pay"), make.AT) == [noun]
    assert drawn.shown_wider(make.dashboard("two", [more], teams=list(Team.objects.all())), make.AT) == [noun]
    client.force_login(make.admin())
    said = f"Shared wider than what it shows: people who may not see all of its {noun} see them here."
    assert said in client.get("/d/pay/").content.decode()
    assert said not in client.get("/d/both/").content.decode()


def test_a_chart_is_shared_wider_by_the_annotations_and_incidents_that_it_marks(eve: Principal) -> None:
    finance = [Team.objects.get(name="finance")]
    for tag in ("deploy", "note"):
        annotations.create(
            SYSTEM, f"a {tag}", datetime_of(make.AT), tags=[tag], access=Access(everyone=False, teams=["finance"])
        )
    make.incident("theirs", False, finance)
    for number, (tags, nouns) in enumerate(
        [
            (None, ["annotations", "incidents"]),
            (["deploy"], ["annotations"]),
            (["incident"], ["incidents"]),
            (["x"], []),
        ]
    ):
        fields = {} if tags is None else {"annotations": tags}
        made = make.dashboard(f"pay-{number}", [widget("cpu", "line", **fields)], teams=finance)
        assert drawn.shown_wider(made, make.AT + 60) == []
        made.for_everyone = True
        assert drawn.shown_wider(made, make.AT + 60) == nouns
        assert drawn.shown_wider(made, make.AT + 400 * 86_400) == []


def test_a_preview_shows_only_facts_that_they_see(eve: Principal) -> None:
    finance_has({"on_call": True})
    state = drafts.current(eve, "both")
    spec = dashboards.parse({"slug": "new", "title": "New", "widgets": [fact("on_call")]})
    for by, names in ((eve, ["ops"]), (SYSTEM, ["finance", "ops"])):
        (shown,) = drafts.views(by, state, spec.widgets, make.AT)
        assert sorted(one.name for one in shown.view.rows) == names  # type: ignore[union-attr]


def test_each_reason_not_to_be_told_is_known_by_its_tables() -> None:
    assert untold.TABLES.keys() == WORDS.keys()
