"""Variables of a dashboard from its address to what is drawn: choices, copies that come and go, the past, rooms."""

import json
import re
from typing import Any, cast

import pytest
from redis import Redis

from metrics.access.principal import SYSTEM
from metrics.actions import dashboard_files, dashboards, drawings, moments, render, shown, variables
from metrics.actions.errors import Invalid
from metrics.actions.page import page
from metrics.live import marks, snapshot
from metrics.live.topic import Topic, variant
from metrics.models import Dashboard, Room, Series
from metrics.redis_state.connection import client
from metrics.series import read
from metrics.series.read import Query
from metrics.widgets import variables as pure
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

HOST = {"name": "host", "label": "host", "several": True, "all": True}
ZONE = {"name": "zone", "values": ["north", "south"]}


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)


@pytest.fixture
def shop() -> Dashboard:
    """Two machines, the load of those that are chosen, and a number for each."""
    for host, value in (("web-1", 1.0), ("web-2", 2.0)):
        make.stored("load", {5: value}, host=host)
    query = {"metric": "load", "labels": {"host": "$host"}}
    return dashboards.create(
        SYSTEM,
        {
            "slug": "shop",
            "title": "Shop",
            "variables": [HOST, ZONE],
            "widgets": [
                {"key": "bars", "kind": "bars", "title": "Load of $host", "config": {"queries": [query]}},
                {"key": "each", "kind": "number", "title": "Load", "config": {"queries": [query]}, "repeat": "host"},
            ],
        },
    )


def rendered(topic: Topic, *widgets: str) -> dict[str, str]:
    """Render the widgets that are marked, or all, and return what the snapshot has, by key."""
    marks.mark(topic, widgets or [marks.ALL])
    render.render(topic)
    fields = cast(dict[str, str], client().hgetall(f"wf:snapshot:{topic}"))
    return {name[2:]: value for name, value in fields.items() if name.startswith("h:")}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ""),
        ({"host": ["web-2"]}, "host=web-2"),
        ({"host": ["*"], "zone": ["south"]}, "zone=south"),
    ],
)
def test_what_may_be_chosen(shop: Dashboard, asked: dict[str, list[str]], found: str) -> None:
    assert variables.chosen(shop, asked) == found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"hots": ["a"]}, "var-hots: the dashboard Shop has no such variable."),
        ({"host": ["web-9"]}, "var-host: there is no value 'web-9'."),
        ({"zone": ["north", "south"]}, "var-zone: only one value may be chosen."),
        ({"zone": ["*"]}, "var-zone: all may not be chosen."),
    ],
)
def test_anything_else_is_refused_with_a_sentence(shop: Dashboard, asked: dict[str, list[str]], said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)):
        variables.chosen(shop, asked)


def test_too_much_at_once_is_refused() -> None:
    made = make.dashboard()
    values = [f"{number:03}" * 60 for number in range(20)]
    dashboards.change(SYSTEM, "shop", {"variables": [{"name": "a", "values": values, "several": True}]}, None)
    made.refresh_from_db()
    with pytest.raises(Invalid, match="choose fewer"):
        variables.chosen(made, {"a": values})


def test_each_choice_is_drawn_by_itself(shop: Dashboard) -> None:
    every, one = (rendered(variant(shop.pk, "1h", chosen)) for chosen in ("", "host=web-2"))
    assert sorted(every) == ["bars", "each_web-1", "each_web-2"]
    assert sorted(one) == ["bars", "each_web-2"]
    assert "Load of All" in every["bars"]
    assert "</span>-1</span>" in every["bars"]
    assert "Load of web-2" in one["bars"]
    assert "</span>-1</span>" not in one["bars"]


def test_the_default_is_the_first_value_where_not_all_may_be_chosen(shop: Dashboard) -> None:
    dashboards.change(SYSTEM, "shop", {"variables": [{"name": "host", "label": "host", "metric": "load"}]}, None)
    assert sorted(rendered(variant(shop.pk, "1h"))) == ["bars", "each_web-1"]


def test_a_copy_is_rendered_when_its_widget_is_marked(shop: Dashboard) -> None:
    topic = variant(shop.pk, "1h")
    rendered(topic)
    marks.mark(topic, ["each"])
    assert render.render(topic) == 2
    marks.mark(topic, ["bars"])
    assert render.render(topic) == 1


def test_a_repeated_section_is_live_what_it_is_anew(shop: Dashboard) -> None:
    text = """
title: Shop
variables: [{name: host, label: host, metric: load, several: true, all: true}]
widgets:
- {key: s, kind: section, title: Host, w: 12, repeat: host, config: {}}
- {key: load, kind: number, title: Load of $host, config: {queries: [{metric: load, labels: {host: $host}}]}}
"""
    dashboard_files.put(SYSTEM, "shop", text, None)
    dashboard, topic = Dashboard.objects.get(), variant(shop.pk, "1h")
    whole = rendered(topic)
    assert sorted(whole) == ["load_web-1", "load_web-2", "s_web-1", "s_web-2"]
    marks.mark(topic, ["load"])
    assert render.render(topic) == 2
    loaded = page(dashboard, "1h", AT)
    assert [(one.element, one.y, one.title) for one in loaded.widgets] == [
        ("w-s_web-1", 0, "Host: web-1"),
        ("w-load_web-1", 0, "Load of web-1"),
        ("w-s_web-2", 1, "Host: web-2"),
        ("w-load_web-2", 1, "Load of web-2"),
    ]
    for one in loaded.widgets:
        assert f'class="widget widget-{one.kind} x-0 y-{one.y} w-{one.w} h-1"' in whole[one.element[2:]]
    assert loaded.layout == snapshot.layout(topic) != ""
    assert "repeat: host" in dashboard_files.text_of(dashboards.spec_of(dashboard))


def test_values_that_come_and_go_change_the_layout_and_all_is_drawn_anew(shop: Dashboard, redis: Redis) -> None:
    topic = variant(shop.pk, "1h")
    rendered(topic)
    before = snapshot.layout(topic)
    make.stored("load", {4: 3.0}, host="web-3")
    assert "each_web-3" not in rendered(topic, "each"), "what values there are is remembered for a while"
    for key in redis.keys("wf:values:*"):
        redis.delete(key)
    assert sorted(rendered(topic, "bars")) == ["bars", "each_web-1", "each_web-2", "each_web-3"]
    assert snapshot.layout(topic) != before
    assert page(shop, "1h", AT).layout == snapshot.layout(topic)
    Series.objects.filter(labels__host="web-1").delete()
    redis.delete(*redis.keys("wf:values:*"))
    assert sorted(rendered(topic, "bars")) == ["bars", "each_web-2", "each_web-3"]


def test_without_redis_the_values_come_from_the_database(
    shop: Dashboard, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.set(f"wf:values:{'0' * 32}", "x")
    with monkeypatch.context() as away:
        away.setattr(variables, "client", lambda: Redis(unix_socket_path="/nowhere"))
        assert variables.options_of(shop, variables.variables_of(shop))["host"] == ["web-1", "web-2"]


def test_samples_mark_the_choices_that_show_them(shop: Dashboard) -> None:
    every, one, other = (variant(shop.pk, "1h", chosen) for chosen in ("", "host=web-1", "host=web-1&host=web-2"))
    found = shown.widgets_by_variant([every, one, other], [Series(metric="load", labels={"host": "web-2"})])
    assert found == {every: ["bars", "each"], other: ["bars", "each"]}


@pytest.mark.parametrize("chosen", ["", "host=web-2"])
def test_the_past_has_the_variables_of_its_revision(shop: Dashboard, chosen: str) -> None:
    at = AT + 10
    dashboards.change(SYSTEM, "shop", {"variables": [], "widgets": [make.widget()]}, None)
    shop.refresh_from_db()
    moment = moments.moment(shop, "1h", at, at, 1, chosen)
    _, widgets = moments.views(shop, moment)
    assert [one.element for one in widgets][1:] == ["w-each_web-1", "w-each_web-2"][bool(chosen) :]
    asked = {"var-host": ["web-2"]} if chosen else {}
    assert moment.query == {"dashboard": shop.pk, "revision": 1, "range": "1h", "at": at, **asked}


def test_the_past_of_a_fixed_list_is_no_more_than_the_list() -> None:
    variable = pure.VariableSpec(name="tenant", values=["a", "c"])
    assert pure.choices([variable], {"tenant": ["a", "c"]}, "tenant=b")["tenant"].chosen == ("a",)
    assert pure.choices([variable], {"tenant": ["a", "c"]}, "tenant=c")["tenant"].chosen == ("c",)
    assert variables.of_the_past({"host": ["a\x00"]}) == ""


def test_a_drawing_in_the_room_shows_what_is_beside_it(shop: Dashboard) -> None:
    room = Room.objects.get(dashboard=shop)
    assert "Load of web-2" in drawings.drawing("/show bars", room, "1h", AT, "host=web-2")
    assert "Load of All" in drawings.drawing("/show bars", room, "1h", AT)


def test_a_revision_keeps_the_variables_and_older_ones_have_none(shop: Dashboard) -> None:
    first = shop.revisions.get(number=1)
    assert [one["name"] for one in first.spec["variables"]] == ["host", "zone"]
    for old in (first.spec, *first.spec["widgets"]):
        old.pop("variables", None)
        old.pop("repeat", None)
    first.save()
    dashboards.change(SYSTEM, "shop", {"title": "Works"}, None)
    restored = dashboards.restore_revision(SYSTEM, "shop", 1, None)
    assert restored.variables == []
    assert restored.revisions.first().summary.endswith("removed the variables host, zone; changed Load.")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("labels", "hosts"),
    [
        ({"host": ["web-1", "web-2"]}, ["web-1", "web-2"]),
        ({"host": ["web-2", "nowhere"]}, ["web-2"]),
        ({"host": ["", "web-1"]}, ["web-1", None]),
        ({"host": ["web-1", "web-2"], "job": ["a"]}, []),
        ({"host": ["web-1"], "job": ""}, ["web-1"]),
    ],
)
def test_a_query_takes_several_values_of_a_label(labels: dict[str, Any], hosts: list[str | None]) -> None:
    make.stored("load", {5: 1.0}, host="web-1")
    make.stored("load", {5: 1.0}, host="web-2")
    make.stored("load", {5: 1.0})
    query = Query("load", labels)
    assert [one.labels.get("host") for one in read.tracks(query, AT)] == hosts
    assert [
        one.labels.get("host") for one in Series.objects.order_by("pk") if query.matches("load", one.labels)
    ] == hosts


def test_values_of_a_label(shop: Dashboard) -> None:
    make.stored("other", {5: 1.0}, host="db")
    make.stored("load", {5: 1.0}, job="x")
    assert sorted(read.values_of("host")) == ["db", "web-1", "web-2"]
    assert read.values_of("host", "load", most=1) == ["web-1"]
    assert read.values_of("nothing") == []


def test_variables_are_documents_that_json_takes(shop: Dashboard) -> None:
    spec = dashboards.spec_of(shop).model_dump()
    assert dashboards.parse(json.loads(json.dumps(spec))) == dashboards.spec_of(shop)
