"""Live queries: one question for all who watch, only what is new of it, and every failure as one sentence."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import live_queries, render, sources
from metrics.live.topic import Topic, variant
from metrics.models import Dashboard, Source, Widget
from metrics.widgets.render import WidgetView, detailed_series, widget_views
from tests import make
from tests.make import AT
from tests.promql_server import PromqlServer, answer_at_once, promql_server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(scope="module")
def serving() -> Iterator[PromqlServer]:
    with promql_server() as server:
        yield server


@pytest.fixture
def server(serving: PromqlServer, monkeypatch: pytest.MonkeyPatch) -> PromqlServer:
    fresh = PromqlServer(url=serving.url)
    for name in ("labels", "value", "asked", "refuses", "hangs", "more"):
        setattr(serving, name, getattr(fresh, name))
    answer_at_once(monkeypatch)
    make.source("promql", "prom", 60, url=serving.url, live=True, timeout_s=5)
    return serving


def live(
    kind: str = "line", promql: str = "up", *, query: dict[str, Any] | None = None, **config: Any
) -> dict[str, Any]:
    queries = [{"source": "prom", "promql": promql, **(query or {})}]
    return {"kind": kind, "title": f"{kind} of {promql}", "config": {"queries": queries, **config}}


def drawn(widget: dict[str, Any], range: str = "1h", at: float = AT, now: float | None = None) -> WidgetView:
    """Return a widget as somebody sees it who waits for the answers."""
    one = Widget(key="one", x=0, y=0, w=6, h=2, **widget)
    live_queries.wait([one], range, at, at if now is None else now)
    (view,) = widget_views([one], range, at)
    return view


def watched(dashboard: Dashboard, range: str, at: float, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """Do what the system does each second for a page that is open."""
    topic = variant(dashboard.pk, range)
    monkeypatch.setattr("time.time", lambda: at)
    make.watch(topic, now=at)
    render.sweep(at)
    while render.render(topic):
        pass
    return topic


class TestQuestions:
    def test_a_line_asks_for_steps_and_a_bar_for_the_newest_values(self, server: PromqlServer) -> None:
        drawn(live("line"))
        drawn(live("bars"), at=AT + 29)
        (path, asked), (path2, asked2) = server.asked
        assert (path, asked["query"], asked["step"]) == ("query_range", "up", "10")
        assert (float(asked["start"]), float(asked["end"])) == (AT - 3600, AT)
        assert (path2, asked2["time"], asked2["timeout"]) == ("query", f"{AT:.0f}", "5s")

    def test_only_what_is_new_is_asked_for_and_a_little_before_it(self, server: PromqlServer) -> None:
        drawn(live("line"))
        view = drawn(live("line"), at=AT + 60)
        starts = [float(asked["start"]) for _, asked in server.asked]
        assert starts == [AT - 3600, AT - live_queries.OVERLAP_S]
        assert view.series[0].value == (AT + 60) % 1000
        (named,) = detailed_series(Widget(key="one", x=0, y=0, w=6, h=2, **live("line")), "1h", AT + 60)
        assert [(one.at, one.value) for one in named.track.points] == [
            (at, at % 1000) for at in (AT + 60 - 10 * step for step in reversed(range(358)))
        ]

    def test_long_steps_have_the_newest_value_besides(self, server: PromqlServer) -> None:
        assert drawn(live("number"), "24h", AT + 65).series[0].at == AT + 60
        assert sorted(path for path, _ in server.asked) == ["query", "query_range"]

    def test_the_past_is_asked_for_by_itself(self, server: PromqlServer) -> None:
        drawn(live("line"))
        view = drawn(live("line"), at=AT - 86_400, now=AT)
        assert view.series[0].at == AT - 86_400
        assert float(server.asked[-1][1]["end"]) == AT - 86_400
        drawn(live("line"), at=AT)
        assert len(server.asked) == 2

    def test_grafanas_intervals_are_those_of_the_steps(self, server: PromqlServer) -> None:
        drawn(live("number", "rate(x[$__rate_interval]) + $__interval_s + sum_over_time(y[${__range}])"))
        assert server.asked[0][1]["query"] == "rate(x[60s]) + 30 + sum_over_time(y[3600s])"

    def test_fifty_watchers_cause_one_question_a_step(
        self, server: PromqlServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("metrics.live.marks.DEBOUNCE_S", 0)
        some = [make.dashboard(f"shop-{n}", [live("bars"), live("bars")]) for n in range(5)]
        for second in (0, 29, 30, 60):
            for dashboard in some:
                watched(dashboard, "1h", AT + second, monkeypatch)
                for _ in range(9):
                    drawn(live("bars"), at=AT + second)
        assert [float(asked["time"]) for _, asked in server.asked] == [AT, AT + 30, AT + 60]

    def test_nobody_who_watches_costs_nothing(self, server: PromqlServer) -> None:
        make.dashboard(widgets=[live("line")])
        render.sweep(AT)
        assert server.asked == []

    def test_the_answer_reaches_the_open_page(self, server: PromqlServer, monkeypatch: pytest.MonkeyPatch) -> None:
        dashboard = make.dashboard(widgets=[live("bars"), make.widget()])
        (key,) = (one.key for one in dashboard.widgets.all() if one.kind == "bars")
        sent: list[int] = []
        monkeypatch.setattr(
            "celery.app.base.Celery.send_task",
            lambda _, task, args=(), **__: sent.extend(args if task == "tasks.collect.answer_live" else ()),
        )
        topic = watched(dashboard, "1h", AT, monkeypatch)
        assert server.asked == []
        live_queries.answer(*sent)
        assert make.marks(topic).keys() == {key, "@"}


class TestSeries:
    def test_names_are_the_labels_that_differ(self, server: PromqlServer) -> None:
        server.labels = [{"__name__": "up", "job": "node", "host": host} for host in "ba"]
        assert [one.name for one in drawn(live("bars")).series] == ["a", "b"]
        assert [one.name for one in drawn(live("bars", query={"legend": "{job}/{host} {__name__}"})).series] == [
            "node/a up",
            "node/b up",
        ]
        server.labels = [{}]
        assert [one.name for one in drawn(live("bars", "sum(up)")).series] == ["sum(up)"]

    def test_units_and_expressions(self, server: PromqlServer) -> None:
        server.value = lambda labels, at: 50.0
        query = {"unit": "bytes", "name": "A", "hidden": True}
        view = drawn(live("number", query=query, expressions=[{"expression": "A / 100"}]))
        assert [(one.value, one.unit) for one in view.series] == [(0.5, "bytes")]

    def test_what_is_no_number_is_a_gap(self, server: PromqlServer) -> None:
        server.labels = [{"host": "a"}, {"host": "b"}]
        server.value = lambda labels, at: math.inf if labels["host"] == "b" else math.nan if at % 60 else 1.0
        view = drawn(live("number"))
        assert [(one.name, one.value) for one in view.series] == [("up", 1.0)]

    def test_a_series_that_ended_is_as_old_as_its_last_value(self, server: PromqlServer) -> None:
        server.labels = [{"host": "a"}, {"host": "b"}]
        server.value = lambda labels, at: None if labels["host"] == "b" and at > AT - 600 else 1.0
        view = drawn(live("line"))
        assert [(one.name, one.at) for one in view.series] == [("a", AT), ("b", AT - 600)]
        assert view.freshness.state == "fresh"

    def test_a_band_is_made_of_finer_steps(self, server: PromqlServer) -> None:
        server.value = lambda labels, at: 100.0 if at % 240 == 60 else 0.0
        view: Any = drawn(live("line"), "24h").view
        assert view.lines[0].band
        assert {asked.get("step") for _, asked in server.asked} == {"60", None}


REFUSED = {"status": "error", "errorType": "bad_data", "error": 'invalid parameter "query": 1:5: parse error: no'}


class TestFailures:
    @pytest.mark.parametrize(
        ("broken", "said"),
        [
            (
                {"refuses": (400, REFUSED)},
                'The source prom refuses the query: invalid parameter "query": 1:5: parse error: no.',
            ),
            ({"refuses": (503, "no")}, "The source prom answered 503 Service Unavailable."),
            ({"refuses": (200, "<html>")}, "The source prom answered something that"),
            (
                {"refuses": (200, {"status": "success", "data": {}})},
                "The source prom answered in a form that is not known here.",
            ),
            (
                {"labels": [{"n": str(n)} for n in range(1001)]},
                "The source prom answers 1001 series, more than 1000; choose fewer",
            ),
        ],
    )
    def test_each_is_a_sentence_on_the_widget(self, server: PromqlServer, broken: dict[str, Any], said: str) -> None:
        for name, value in broken.items():
            setattr(server, name, value)
        view = drawn(live("bars"))
        assert view.error.startswith(said)
        assert server.url not in view.error
        drawn(live("bars"))
        assert len(server.asked) == 1

    def test_one_that_hangs_is_given_up(self, server: PromqlServer) -> None:
        change(timeout_s=0.2)
        server.hangs = True
        assert drawn(live("bars")).error == "The source prom did not answer within 0.2 s."

    def test_nobody_there(self, server: PromqlServer) -> None:
        change(url="http://127.0.0.1:9")
        assert drawn(live("bars")).error == "The source prom can't be reached (Connection refused)."

    def test_what_was_known_stays_and_gets_late(self, server: PromqlServer) -> None:
        assert drawn(live("line")).note == ""
        server.refuses = (503, "no")
        view = drawn(live("line"), at=AT + 90)
        assert (view.error, view.note, view.freshness.state) == (
            "",
            "The source prom answered 503 Service Unavailable.",
            "late",
        )
        assert view.series[0].at == AT
        server.refuses = None
        assert drawn(live("line"), at=AT + 120).freshness.state == "fresh"

    def test_it_is_asked_again_before_a_long_step_is_over(
        self, server: PromqlServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = {}
        for after_s in (0, 20, 31):
            monkeypatch.setattr("time.time", lambda after_s=after_s: AT + after_s)
            server.refuses = None if after_s else (503, "no")
            found[after_s] = drawn(live("line"), "30d").error
        said = "The source prom answered 503 Service Unavailable."
        assert found == {0: said, 20: said, 31: ""}

    def test_a_partial_answer_says_so(self, server: PromqlServer) -> None:
        server.more = {"warnings": ["No StoreAPIs matched for this query"]}
        assert drawn(live("line")).note == "No StoreAPIs matched for this query."
        server.more = {"isPartial": True}
        assert drawn(live("bars")).note == "The answer is partial."

    def test_no_series_is_no_data(self, server: PromqlServer) -> None:
        server.labels = []
        view = drawn(live("line"))
        assert (view.freshness.state, view.hint, view.error) == ("nodata", "prom knows no such series.", "")

    def test_series_without_a_number_are_known(self, server: PromqlServer) -> None:
        server.value = lambda labels, at: float("nan")
        view = drawn(live("line"))
        assert (view.freshness.state, view.hint) == ("nodata", "prom answers nothing that is a number.")

    def test_until_it_is_answered_it_waits(self, server: PromqlServer) -> None:
        (view,) = widget_views([Widget(key="one", x=0, y=0, w=6, h=2, **live("line"))], "1h", AT)
        assert (view.freshness.state, view.hint) == ("nodata", "Waiting for the answer of prom.")


class TestSource:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"name": "other"}, "There is no source 'prom' of the kind promql that this dashboard may ask."),
            ({"enabled": False}, "The source prom is off."),
            ({"config": {"queries": {"a": "b"}}}, "Widgets may not ask the source prom: its field live says so."),
        ],
    )
    def test_it_has_to_be_there_on_and_live(self, server: PromqlServer, changes: dict[str, Any], said: str) -> None:
        change(**changes.pop("config", {"live": True}), **changes)
        assert drawn(live("bars")).error == said
        assert server.asked == []

    def test_it_is_asked_only_for_dashboards_of_those_who_see_it(self, server: PromqlServer) -> None:
        team = make.team("ops")
        sources.change(SYSTEM, Source.objects.get().pk, {"access": {"everyone": False, "teams": ["ops"]}})
        for slug, teams, errors in (("open", [], True), ("theirs", [team], False)):
            (one,) = make.widgets_of(make.dashboard(slug, [live("bars")], teams=teams))
            live_queries.wait([one], "1h", AT, AT)
            assert bool(widget_views([one], "1h", AT)[0].error) == errors
        assert len(server.asked) == 1

    def test_another_address_is_asked_anew(self, server: PromqlServer) -> None:
        drawn(live("bars"))
        change(url=f"{server.url}/prometheus")
        drawn(live("bars"))
        assert len(server.asked) == 2

    def test_who_is_no_administrator_has_it_ask_only_where_that_is_allowed(
        self, server: PromqlServer, settings: Any
    ) -> None:
        Source.objects.update(trusted=False)
        settings.ALLOW_PRIVATE_ADDRESSES = False
        said = "The address of 127.0.0.1 is loopback; only what an administrator set up may connect there."
        assert drawn(live("bars")).error == said
        assert server.asked == []

    def test_a_run_without_queries_sees_whether_it_answers(self, server: PromqlServer) -> None:
        from metrics.sources.promql import Promql, PromqlConfig

        assert Promql().collect(PromqlConfig(url=server.url, live=True)) == []
        assert server.asked[-1][1]["query"] == "vector(1)"


def change(**fields: Any) -> None:
    """Change the source, its config or what is beside it."""
    source = Source.objects.get()
    beside: dict[str, Any] = {name: fields.pop(name) for name in ("name", "enabled") if name in fields}
    config = {"url": source.config["url"], "live": True, **fields}
    if "queries" in fields:
        del config["live"]
    sources.change(SYSTEM, source.pk, {"config": config, **beside})
