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
        (
            panel(**fields(unit="percentunit", min=0, max=1)),
            "line",
            {"unit": "ratio", "min": 0, "max": 1, "fixed": True},
        ),
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
        (panel("piechart", **fields(unit="bytes", max=9)), "bars", {"unit": "bytes"}),
        (
            panel("status-history", **fields(thresholds={"steps": [{"color": "red"}, {"color": "green", "value": 1}]})),
            "history",
            {"days": 0, "up_at_least": 1},
        ),
        (panel("state-timeline"), "history", {"days": 0, "up_at_least": 1}),
        (
            panel("state-timeline", **fields(thresholds={"steps": STEPS})),
            "line",
            {"draw": "steps", "thresholds": LIMITS},
        ),
        (panel(**fields(custom={"drawStyle": "points"})), "line", {"draw": "points"}),
    ],
)
def test_a_panel_becomes_a_widget(one: dict[str, Any], kind: str, more: dict[str, Any]) -> None:
    found = widget(one)
    assert (found["kind"], found["config"]) == (kind, {"queries": [{"metric": "a"}], **more})


def override(matcher: str, options: Any, **properties: Any) -> dict[str, Any]:
    found = [{"id": id.replace("__", "."), "value": value} for id, value in properties.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": found}


RIGHT = {"custom__axisPlacement": "right"}


@pytest.mark.parametrize(
    ("one", "seen"),
    [
        (override("byFrameRefID", "B", **RIGHT), {"B": "right"}),
        (override("byName", "out {x}", **RIGHT), {"B": "right"}),
        (override("byRegexp", "/.*ut.*/", **RIGHT), {"B": "right"}),
        (override("byRegexp", "/^(IN|OUT)/i", **RIGHT), {"A": "right", "B": "right"}),
        (override("byRegexp", "^out$", **RIGHT), {}),
        (override("byRegexp", "(a+)+$", **RIGHT), {}),
        (override("byNames", {"mode": "include", "names": ["in"]}, **RIGHT), {"A": "right"}),
        (override("byNames", {"mode": "exclude", "names": ["in"]}, **RIGHT), {}),
        (override("byName", "in", unit="percent"), {"A": "right", "unit": "percent"}),
        (override("byName", "in", unit="s"), {}),
        (override("byName", "in", unit="ms", min=0, custom__axisPlacement="left"), {}),
        (override("byName", "in", unit="percent", max=100), {"A": "right", "unit": "percent", "max": 100}),
        (override("byName", "in", displayName="Coming in"), {"legend": "Coming in"}),
        (override("byName", "in", custom__transform="negative-Y"), {"below": "0 - A"}),
    ],
)
def test_what_is_set_for_single_series_comes_along(one: dict[str, Any], seen: dict[str, Any]) -> None:
    targets = [{"expr": "a", "legendFormat": "in"}, {"expr": "b", "legendFormat": "out {{x}}", "refId": "B"}]
    raw = panel(targets=targets, fieldConfig={"defaults": {"unit": "s"}, "overrides": [one]})
    document, left_out = converted(dashboard(raw))
    DashboardSpec.model_validate(document)
    config = document["widgets"][0]["config"]
    shown = dict(zip("AB", config["queries"], strict=False))
    found = {name: "right" for name, query in shown.items() if query.get("axis") == "right"}
    found |= {name: value for name, value in config.get("right", {}).items() if (name, value) != ("unit", "seconds")}
    found |= {"legend": shown["A"]["legend"]} if shown["A"].get("legend") == "Coming in" else {}
    found |= {"below": config["expressions"][0]["expression"]} if "expressions" in config else {}
    assert found == seen
    named = {one["id"].removeprefix("custom.") for one in one["properties"]}
    said = f"Overrides of single series: {', '.join(sorted(named))}."
    assert [one.reason for one in left_out] == ([] if seen or named == {"unit"} or "min" in named else [said])


def test_the_second_axis_of_an_old_graph_is_on_the_right() -> None:
    targets = [{"expr": "a", "legendFormat": "rate"}, {"expr": "b", "legendFormat": "time {{x}}"}]
    axes = [{"format": "ops"}, {"format": "ms", "min": "0", "max": None}]
    old = panel("graph", targets=targets, yaxes=axes, seriesOverrides=[{"alias": "/time/", "yaxis": 2}])
    document, left_out = converted(dashboard(old), "prom")
    config = document["widgets"][0]["config"]
    assert [one.get("axis") for one in config["queries"]] == [None, "right"]
    assert (config["unit"], config["right"]) == ("/s", {"unit": "milliseconds", "min": 0})
    assert left_out == []
    stacked, said = converted(dashboard({**old, "stack": True}))
    assert "right" not in stacked["widgets"][0]["config"]  # stacked series share one axis
    assert [one.reason for one in said] == ["Overrides of single series: axisPlacement."]


def test_what_goes_out_is_below_zero_and_asked_like_that() -> None:
    raw = panel(expr="rate(a[5m]) # out", seriesOverrides=[{"alias": "/.*/", "transform": "negative-Y"}])
    document, _ = converted(dashboard(raw), "prom")
    assert document["widgets"][0]["config"]["queries"][0]["promql"] == "-(rate(a[5m]) \n)"


@pytest.mark.parametrize(
    ("expr", "source", "kind"),
    [
        ("sum by (le) (rate(a_bucket[5m]))", "", "heatmap"),
        ("a_bucket", "", "heatmap"),
        ("sum by (x) (rate(a_bucket[5m]))", "", "line"),
        ("sum by (le) (increase(a_bucket[$__interval]))", "prom", "heatmap"),
        ("scale", "prom", "line"),
    ],
)
def test_buckets_of_a_histogram_are_a_heat_map(expr: str, source: str, kind: str) -> None:
    raw = panel("heatmap", expr, options={"yAxis": {"unit": "s"}}, **fields(unit="short"))
    document, _ = converted(dashboard(raw), source)
    DashboardSpec.model_validate(document)
    (made,) = document["widgets"]
    assert (made["kind"], made["config"]["unit"]) == (kind, "seconds")


def test_states_that_are_asked_live_are_those_of_now() -> None:
    document, left_out = converted(dashboard(panel("state-timeline", "up")), "prom")
    assert document["widgets"][0]["kind"] == "status"
    assert [one.reason for one in left_out] == ["Its past: states of live queries are those of now."]


def element(title: str, group: str = "timeseries", **more: Any) -> dict[str, Any]:
    query = {"kind": "DataQuery", "group": "prometheus", "spec": {"expr": "a", "legendFormat": "{{x}}"}}
    queries = [{"kind": "PanelQuery", "spec": {"refId": "A", "hidden": False, "query": query}}]
    data = {"kind": "QueryGroup", "spec": {"queries": queries, "transformations": []}}
    drawn = {"kind": "VizConfig", "group": group, "spec": {"options": {}, "fieldConfig": {"defaults": {"unit": "s"}}}}
    return {"kind": "Panel", "spec": {"title": title, "links": [], "data": data, "vizConfig": drawn, **more}}


def item(name: str, kind: str = "GridLayoutItem", **place: Any) -> dict[str, Any]:
    return {"kind": kind, "spec": {"element": {"kind": "ElementReference", "name": name}, **place}}


def laid_out(kind: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "spec": spec}


GRID = laid_out("GridLayout", items=[item("a", x=0, y=0, width=12, height=9), item("b", x=12, y=0, width=12, height=9)])
AUTO = laid_out("AutoGridLayout", maxColumnCount=2, items=[item(name, "AutoGridLayoutItem") for name in "abc"])
ROWS = laid_out(
    "RowsLayout",
    rows=[
        laid_out("RowsLayoutRow", title="One", collapse=True, layout=GRID),
        laid_out("RowsLayoutRow", hideHeader=True, layout=AUTO),
    ],
)
IN_ROW = laid_out(
    "GridLayoutRow", y=9, title="Below", collapsed=False, elements=[item("c", x=0, y=0, width=24, height=5)]
)


PAIR = [("A", 0, 0, 6, 2), ("B", 6, 0, 6, 2)]


def down(rows: int, *places: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [(title, x, y + rows, w, h) for title, x, y, w, h in places]


@pytest.mark.parametrize(
    ("layout", "places"),
    [
        (GRID, PAIR),
        (AUTO, [*PAIR, ("C", 0, 2, 6, 2)]),
        (ROWS, [("One", 0, 0, 12, 1), *down(1, *PAIR), *down(3, *PAIR, ("C", 0, 2, 6, 2))]),
        (
            laid_out("TabsLayout", tabs=[laid_out("TabsLayoutTab", title="T", layout=GRID)]),
            [("T", 0, 0, 12, 1), *down(1, *PAIR)],
        ),
        (
            laid_out("GridLayout", items=[*GRID["spec"]["items"], IN_ROW]),
            [*PAIR, ("Below", 0, 2, 12, 1), ("C", 0, 3, 12, 1)],
        ),
    ],
)
def test_the_newer_form_is_taken(layout: dict[str, Any], places: list[tuple[Any, ...]]) -> None:
    spec: dict[str, Any] = {
        "title": "New",
        "elements": {"a": element("A"), "b": element("B"), "c": element("C", "stat")},
        "layout": layout,
        "timeSettings": {"from": "now-24h", "to": "now"},
        "variables": [
            {
                "kind": "QueryVariable",
                "spec": {"name": "host", "query": {"spec": {"query": "label_values(a, host)"}}, "includeAll": True},
            }
        ],
    }
    spec["elements"]["a"]["spec"]["data"]["spec"]["queries"][0]["spec"]["query"]["spec"]["expr"] = 'a{host="$host"}'
    whole = {"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "metadata": {}, "spec": spec}
    assert is_grafanas(whole)
    document, left_out = converted(whole)
    assert left_out == []
    found = DashboardSpec.model_validate(document)
    assert [(one.title, one.x, one.y, one.w, one.h) for one in found.widgets] == places
    assert (found.range, [one.name for one in found.variables]) == ("24h", ["host"])
    made = next(one for one in found.widgets if one.title == "A")
    query = {"metric": "a", "labels": {"host": "$host"}, "legend": "{x}"}
    assert (made.kind, made.config) == ("line", {"queries": [query], "unit": "seconds"})


def test_layouts_within_layouts_end_somewhere() -> None:
    layout = GRID
    for _ in range(30):
        layout = laid_out("RowsLayout", rows=[laid_out("RowsLayoutRow", hideHeader=True, layout=layout)])
    with pytest.raises(NoDashboard, match="no panels"):
        converted({"title": "Deep", "elements": {"a": element("A")}, "layout": layout})


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
    many = [at(12 * (n % 2), 8 * n, 12, 8) for n in range(230)]
    document, left_out = converted(dashboard(at(0, 0, 24, 1, "row"), *many))
    assert len(document["widgets"]) == 200
    assert [one.reason for one in left_out[:2]] == [
        "There is no room for headings: row.",
        "A dashboard has at most 200 widgets in 160 rows.",
    ]
    assert len(left_out) == 31
    DashboardSpec.model_validate(document)


def test_a_large_one_keeps_its_heights_and_headings() -> None:
    """As large as those that people publish of a machine: 16 headings over 126 charts."""
    many = [at(12 * (n % 2), 8 * n + 1 + n // 8, 12, 8) for n in range(126)]
    rows = [at(0, 64 * n + n, 24, 1, "row") for n in range(16)]
    document, left_out = converted(dashboard(*rows, *many))
    assert left_out == []
    assert [one["h"] for one in document["widgets"] if one["kind"] == "line"] == [2] * 126
    assert sum(one["kind"] == "section" for one in document["widgets"]) == 16
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
        (panel("geomap"), "There is no kind of widget for panels of the type 'geomap'."),
        (panel("heatmap"), "Its heat map is no histogram with the label le, so it is a chart here."),
        (panel("piechart"), "Its pie is bars here."),
        (
            panel("state-timeline", **fields(thresholds={"steps": STEPS})),
            "Its states are a chart of their values here.",
        ),
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
            "Overrides of single series: stacking, unit.",
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
        ('{"spec": {"elements": {}}}', "It has no panels."),
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
