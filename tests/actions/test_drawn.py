"""Dashboards of several teams: an editor of one adds nothing that draws what only another may see."""

from typing import Any

import pytest

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.access.sharing import Access
from metrics.actions import dashboards, drafts, drawn, sources
from metrics.actions.errors import Invalid
from metrics.models import Dashboard, Source, Team
from tests import make
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
