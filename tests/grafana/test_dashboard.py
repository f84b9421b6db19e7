"""Dashboards of Grafana as ours: kinds, places, units, thresholds, variables, and what is left out."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

import pytest

from metrics.actions import grafana_import
from metrics.actions.errors import Invalid
from metrics.grafana.dashboard import NoDashboard, converted, is_grafanas
from metrics.widgets.spec import DashboardSpec

pytestmark = pytest.mark.django_db


def panel(type: str = "timeseries", expr: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": type, "title": type, "targets": [{"expr": expr, "refId": "A"}], **more}


def fields(**defaults: Any) -> dict[str, Any]:
    return {"fieldConfig": {"defaults": defaults}}


def dashboard(*panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "Shop", "panels": list(panels), **more}


def widget(one: dict[str, Any]) -> dict[str, Any]:
    (found,) = converted(dashboard(one))[0]["widgets"]
    return dict(found)


STEPS = [{"color": "green"}, {"color": "#EAB839", "value": 80}, {"color": "red", "value": 95}]
BELOW = [{"color": "dark-red"}, {"color": "orange", "value": 10}, {"color": "rgba(50, 172, 45, 0.97)", "value": 20}]
LIMITS = {"warn": 80, "critical": 95}


@pytest.mark.parametrize(
    ("one", "kind", "more"),
    [
        (panel(), "line", {}),
        (panel(**fields(unit="percentunit", min=0, max=1)), "line", {"unit": "ratio", "min": 0, "max": 1}),
        (panel(**fields(custom={"stacking": {"mode": "normal"}})), "line", {"stacked": True}),
        (
            panel("graph", stack=True, yaxes=[{"format": "Bps", "min": "0"}, {}]),
            "line",
            {"stacked": True, "min": 0, "unit": "bytes_per_second"},
        ),
        (
            panel("stat", **fields(unit="s", decimals=1, thresholds={"steps": STEPS})),
            "number",
            {"unit": "seconds", "decimals": 1, "thresholds": LIMITS},
        ),
        (panel("stat", options={"colorMode": "none"}, **fields(thresholds={"steps": STEPS})), "number", {}),
        (
            panel(
                "singlestat",
                format="percent",
                thresholds="80,95",
                colors=["#299c46", "rgba(237, 129, 40, 0.89)", "#d44a3a"],
                colorValue=True,
            ),
            "number",
            {"unit": "percent", "thresholds": LIMITS},
        ),
        (
            panel("gauge", **fields(min=0, max=200, thresholds={"mode": "percentage", "steps": STEPS})),
            "gauge",
            {"min": 0, "max": 200, "thresholds": {"warn": 160, "critical": 190}},
        ),
        (
            panel("bargauge", **fields(max=100, unit="suffix:cores", thresholds={"steps": BELOW})),
            "bars",
            {"max": 100, "unit": "cores", "thresholds": {"warn": 20, "critical": 10, "direction": "below"}},
        ),
        (panel("table", **fields(unit="short", thresholds={"steps": STEPS})), "table", {}),
    ],
)
def test_a_panel_becomes_a_widget(one: dict[str, Any], kind: str, more: dict[str, Any]) -> None:
    found = widget(one)
    assert (found["kind"], found["config"]) == (kind, {"queries": [{"metric": "a"}], **more})


VALUES = [
    {"title": "Host", "url": "/d/abc/Host-1?var-host=${__field.labels.host}&${__url_time_range}&${__all_variables}"},
    {"title": "Raw", "url": "https://example.org/${__value.raw}"},
]
RUNBOOK = {"title": "Runbook", "url": "https://example.org/run?q=${host:raw}&from=$__from&to=$__to"}


def test_links_come_along() -> None:
    found, left_out = converted(
        dashboard(
            {**panel("table", **fields(links=VALUES)), "links": [RUNBOOK]},
            {**panel("stat", **fields(links=VALUES)), "links": [{"title": "Bad", "url": "javascript:alert(1)"}]},
            links=[
                {"type": "link", "title": "The [plan]", "url": "https://grafana.example.org/d/x/plan"},
                {"type": "dashboards", "tags": ["shop"]},
            ],
        )
    )
    table, stat, text = found["widgets"]
    assert table["config"]["row_link"] == "/d/host-1/?var-host=${host}"
    assert table["config"]["links"] == [{"title": "Runbook", "url": "https://example.org/run?q=${host}"}]
    assert "links" not in stat["config"]
    assert (text["title"], text["config"]) == ("Links", {"text": "* [The  plan ](</d/plan/>)"})
    reasons = ["Its link 'Raw'.", "Its link 'Bad'.", "Its link 'Host'.", "Its link 'Raw'."]
    assert [one.reason for one in left_out] == [*reasons, "Its links to dashboards with the tags shop."]
    DashboardSpec.model_validate(found)


def test_a_calculation_has_hidden_queries_each_of_them_once() -> None:
    targets = [
        {"expr": "a / b * 100", "legendFormat": "{{ x }} of $there_is_not"},
        {"expr": "a - b", "legendFormat": "__auto"},
        {"expr": "b", "legendFormat": "all"},
        {"expr": "c", "hide": True},
    ]
    assert widget(panel(targets=targets))["config"] == {
        "queries": [
            {"metric": "b", "legend": "all"},
            {"metric": "a", "name": "A", "hidden": True},
            {"metric": "b", "name": "B", "hidden": True},
        ],
        "expressions": [{"expression": "A / B * 100", "legend": "{x} of"}, {"expression": "A - B"}],
    }


def test_several_values_of_a_number_are_bars() -> None:
    assert widget(panel("stat", targets=[{"expr": "a"}, {"expr": "b"}]))["kind"] == "bars"


def at(x: int, y: int, w: int, h: int, type: str = "timeseries") -> dict[str, Any]:
    return panel(type, gridPos={"x": x, "y": y, "w": w, "h": h})


def test_twenty_four_columns_are_twelve_and_nothing_overlaps() -> None:
    row = {"type": "row", "title": "More", "collapsed": True, "gridPos": {"x": 0, "y": 9, "w": 24, "h": 1}}
    row["panels"] = [at(0, 10, 24, 8)]
    document, _ = converted(dashboard(at(0, 1, 3, 4), at(3, 1, 21, 8), at(0, 5, 3, 4), row))
    found = [[one[name] for name in "xywh"] for one in document["widgets"]]
    assert found == [[0, 0, 1, 1], [1, 0, 11, 2], [0, 1, 1, 1], [0, 2, 12, 1], [0, 3, 12, 2]]
    assert (document["widgets"][3]["kind"], document["widgets"][3]["config"]) == ("section", {"folded": True})
    DashboardSpec.model_validate(document)


def test_many_are_one_row_high_and_the_last_are_left_out() -> None:
    many = [at(12 * (n % 2), 8 * n, 12, 8) for n in range(130)]
    document, left_out = converted(dashboard(at(0, 0, 24, 1, "row"), *many))
    assert len(document["widgets"]) == 100
    assert [one.reason for one in left_out[:2]] == [
        "There is no room for headings: row.",
        "A dashboard has at most 100 widgets in 60 rows.",
    ]
    assert len(left_out) == 31
    DashboardSpec.model_validate(document)


def test_rows_of_old_dashboards_are_laid_out_by_their_spans() -> None:
    rows = [{"height": "250px", "panels": [panel("graph", span=8), panel("graph", span=6)]}]
    document, _ = converted({"title": "Old", "rows": rows})
    assert [[one[name] for name in "xywh"] for one in document["widgets"]] == [[0, 0, 8, 2], [0, 2, 6, 2]]


def test_variables_are_those_that_labels_are_compared_with() -> None:
    of_label = {"name": "node", "type": "query", "multi": True, "includeAll": True, "label": "Machine"}
    variables = [
        {**of_label, "query": {"query": 'label_values(up{job="$job"}, instance)', "refId": "x"}},
        {"name": "unused", "type": "query", "query": "label_values(x)"},
        {"name": "kind", "type": "custom", "query": "a,b , a"},
        {"name": "source", "type": "datasource", "query": "prometheus"},
    ]
    one = panel(expr='a{instance=~"$node", kind="$kind", job="$job"}', repeat="node", title="Load of $node")
    document, left_out = converted(dashboard(one, templating={"list": variables}))
    assert document["variables"] == [
        {"name": "node", "title": "Machine", "label": "instance", "metric": "up", "several": True, "all": True},
        {"name": "kind", "values": ["a", "b"]},
    ]
    (found,) = document["widgets"]
    assert (found["title"], found["repeat"]) == ("Load of ${node}", "node")
    assert found["config"]["queries"][0]["labels"] == {"instance": "$node", "kind": "$kind"}
    assert [one.title for one in left_out] == ["$job"]
    DashboardSpec.model_validate(document)


def test_with_a_server_everything_is_asked_of_it_as_it_is() -> None:
    variables = [
        {"name": "node", "type": "query", "query": "label_values(up, instance)"},
        {"name": "every", "type": "interval", "query": "1m,10m"},
        {"name": "top", "type": "query", "query": "query_result(x)"},
    ]
    asked = """sum without (cpu) (rate(a{instance=~"[[node]]", disk="${top:regex}"}[$every])) offset 1h"""
    panels = [panel("timeseries", asked), panel("gauge", "topk($top, a)"), panel("stat", "rate(a[$__rate_interval])")]
    document, left_out = converted(dashboard(*panels, templating={"list": variables}), "prom")
    said = """sum without (cpu) (rate(a{instance=~"${node}", disk=~".*"}[${every}])) offset 1h"""
    assert [one["config"]["queries"] for one in document["widgets"]] == [
        [{"source": "prom", "promql": said}],
        [{"source": "prom", "promql": "rate(a[${__rate_interval}])"}],
    ]
    assert document["variables"] == [
        {"name": "node", "label": "instance", "metric": "up", "source": "prom"},
        {"name": "every", "values": ["1m", "10m"]},
    ]
    assert [(one.title, one.reason.partition(",")[0]) for one in left_out] == [
        ("gauge", "Query A: it uses $top"),
        ("$top", "It is no variable that there can be here; series of all its values are shown."),
    ]
    DashboardSpec.model_validate(document)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (panel("heatmap"), "There is no kind of widget for panels of the type 'heatmap'."),
        (panel(expr="histogram_quantile(0.9, a)"), "Query A: histogram_quantile has no counterpart."),
        (panel(targets=[{"rawSql": "SELECT 1", "refId": "B"}]), "Query B: it is not PromQL."),
        (panel(targets=[]), "It has no queries."),
        (panel("text", options={"mode": "html", "content": "<b>a</b>"}), "Texts are Markdown here, and not HTML."),
        (panel("timeseries", "a", repeat="x"), "It is repeated for each value of x; here it is there once."),
        (
            panel(
                fieldConfig={
                    "overrides": [{"properties": [{"id": "unit"}, {"id": "color"}, {"id": "custom.stacking"}]}]
                }
            ),
            "What is set for single series: stacking, unit.",
        ),
        (panel("table", transformations=[{"id": "merge"}]), "Its transformations."),
    ],
)
def test_what_is_left_out_has_its_title_and_a_reason(one: dict[str, Any], reason: str) -> None:
    (found,) = converted(dashboard(one))[1]
    assert (found.title, found.reason) == (one["title"], reason)


def test_a_variable_that_there_cannot_be_here_is_left_out() -> None:
    many = {"type": "custom", "name": "env", "query": ",".join(map(str, range(150)))}
    found = dashboard(panel(expr='up{env="$env"}'), templating={"list": [many]})
    document, left_out = converted(found)
    assert "variables" not in document
    assert "$env" in {one.title for one in left_out}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Line 1: It is no JSON: "),
        ("[" * 100_000, "It is no JSON that can be read."),
        ('{"a": 1}', "It is no dashboard of Grafana's: it has no panels."),
        ('{"panels": []}', "It has no panels."),
        ('{"spec": {"elements": {}}}', "It has the newer form of Grafana's dashboards"),
        ('{"dashboard": 1}', "It is no dashboard of Grafana's."),
    ],
)
def test_other_json_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        grafana_import.take(text)
    assert str(refused.value).startswith(said)


ENDLESS = {"x": float("nan"), "w": 1e999}
DEEP = [{"expr": "-" * 1900}]
LONG = "9" * 5000


@pytest.mark.parametrize(
    "value", [None, 1, "a", [1], {"a": 1}, [[{}]], [{"steps": 1}], -1e400, ENDLESS, DEEP, LONG, int(LONG[:4000])]
)
def test_nonsense_in_any_place_is_no_error(value: Any) -> None:
    """A dashboard may have anything anywhere: it was written by hand, or by another version."""
    names = ["title", "type", "targets", "fieldConfig", "options", "gridPos", "thresholds", "yaxes", "repeat", "colors"]
    broken = [{**panel("stat", colorValue=True), name: value} for name in names]
    inner = [panel("gauge", **fields(**{name: value})) for name in ("thresholds", "unit", "min", "max", "decimals")]
    whole = [dashboard(panel(), **{name: value}) for name in ("time", "templating", "description", "title", "panels")]
    every = [*(dashboard(panel(), *([bad] if isinstance(bad, dict) else [])) for bad in (*broken, *inner)), *whole]
    for one, source in product(every, ("", "prom")):
        try:
            taken = grafana_import.take(json.dumps(one), source)
        except Invalid:
            continue
        assert taken.text()


PERCENT = {"mode": "percentage", "steps": [{"color": "green", "value": None}, *STEPS[1:]]}
LINKED = {"type": "dashboards", "title": "a", "url": "/d/x/plan", "tags": ["shop"]}
SMALL = {
    "title": "Shop",
    "time": {"from": "now-24h"},
    "links": [{**LINKED, "type": "link"}, LINKED],
    "templating": {"list": [{"name": "host", "type": "query", "query": {"query": "label_values(up, host)"}}]},
    "panels": [
        {
            **panel("gauge", 'a{host="$host"}', legendFormat="{{host}}", links=[LINKED], repeat="host"),
            "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
            "fieldConfig": {
                "defaults": {"unit": "s", "min": 0, "max": 9, "decimals": 1, "links": [LINKED], "thresholds": PERCENT},
                "overrides": [{"properties": [{"id": "unit", "value": "s"}]}],
            },
        },
        panel("singlestat", thresholds="80,95", colors=["green", "yellow", "red"], colorValue=True),
        panel("graph", yaxes=[{"format": "s", "min": "0", "max": None}], gauge={"minValue": 0}, stack=True),
        {"type": "text", "options": {"content": "Hi", "mode": "markdown"}},
        {"type": "row", "title": "r", "panels": [panel("table")]},
    ],
}


def replaced(value: Any, other: Any) -> Iterator[Any]:
    """Yield `value` with `other` in the place of each of its parts."""
    yield other
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, part in places:
        for one in replaced(part, other):
            copy = value.copy()
            copy[place] = one
            yield copy


@pytest.mark.parametrize("other", [None, True, 5, "x", [5], {"a": 5}])
def test_each_part_may_be_anything(other: Any) -> None:
    read = []
    for one in replaced(SMALL, other):
        if is_grafanas(one):
            with suppress(NoDashboard):
                read.append(converted(one)[0])
    assert read
    for document in read:
        DashboardSpec.model_validate(json.loads(json.dumps(document)))


def test_links_that_a_text_has_no_room_for_are_left_out_whole() -> None:
    many = [{"title": f"Number {n}", "url": f"https://example.org/{'x' * 80}/{n}"} for n in range(50)]
    found, left_out = converted(dashboard(panel(), links=many))
    text = found["widgets"][-1]["config"]["text"]
    assert len(text) <= 4000
    assert all(re.fullmatch(r"\* \[Number \d+\]\(<https://example.org/x{80}/\d+>\)", line) for line in text.split("\n"))
    assert text.count("\n") + 1 + len(left_out) == 50
    assert left_out[-1].reason == "Its link 'Number 49': a text has at most 4000 characters."
