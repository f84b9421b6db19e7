"""PromQL, asked of a real Prometheus that scrapes itself; and servers that are none."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from metrics.actions import live_queries
from metrics.models import Widget
from metrics.sample import check
from metrics.sources.base import Noted, SourceError
from metrics.sources.network_policy import Forbidden, limited
from metrics.sources.promql import Promql, PromqlConfig, _samples
from metrics.widgets.filled import with_values
from metrics.widgets.render import widget_views
from metrics.widgets.variables import Choice
from tests import make
from tests.prometheus import prometheus
from tests.promql_server import answer_at_once
from tests.sources.web import Handler, answering, serving

WORDS = ["metric", "value", "values", "a", "__name__"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with prometheus() as base:
        yield base


def collect(url: str, queries: dict[str, str], **fields: Any) -> Noted:
    """Run one source; return its samples and its note, having checked that they would be accepted."""
    found = Promql().collect(PromqlConfig(url=url, queries=queries, **{"timeout_s": 10, **fields}))
    check(found, time.time())
    assert isinstance(found, Noted)
    return found


class TestInstant:
    def test_a_vector_keeps_its_labels_and_gets_our_name(self, url: str) -> None:
        (sample,) = collect(url, {"prometheus_is_up": "up"}, units={"prometheus_is_up": "servers"})
        labels = {"instance": url.removeprefix("http://"), "job": "prometheus"}
        assert (sample.metric, sample.value, sample.labels, sample.unit) == ("prometheus_is_up", 1, labels, "servers")
        assert sample.at == pytest.approx(time.time(), abs=5)

    def test_a_scalar_has_no_labels(self, url: str) -> None:
        (sample,) = collect(url, {"answer": "scalar(sum(up)) + 41"})
        assert (sample.value, sample.labels) == (42, {})

    def test_several_queries_are_one_run(self, url: str) -> None:
        found = collect(url, {"a": "vector(1)", "b_total": "vector(2)", "nothing": "nobody_has_this"})
        assert [(one.metric, one.value, one.type) for one in found] == [("a", 1, None), ("b_total", 2, "counter")]

    def test_values_that_are_no_numbers_are_left_out(self, url: str) -> None:
        assert collect(url, {"a": "vector(0) / 0", "b": "vector(1) / 0"}) == []

    def test_a_url_may_have_a_path_of_its_own_and_a_slash_at_the_end(self, url: str) -> None:
        assert collect(f"{url}/", {"a": "vector(1)"})

    def test_one_label_that_is_too_long_loses_no_other_series(self, url: str) -> None:
        query = f'label_replace(vector(1), "path", "{"x" * 201}", "", "") or vector(2)'
        found = Promql().collect(PromqlConfig(url=url, queries={"a": query}))
        assert sorted(one.value for one in found) == [1, 2]


class TestRange:
    def wait_for_history(self, url: str) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if len(collect(url, {"a": "up"}, range_s=4, step_s=1)) >= 3:
                return
            time.sleep(0.2)
        raise AssertionError("Prometheus has not scraped itself three times")

    def test_it_has_a_value_for_each_step(self, url: str) -> None:
        self.wait_for_history(url)
        found = collect(url, {"a": "vector(time())"}, range_s=600, step_s=60)
        times = [one.at for one in found]
        assert len(times) == 11
        assert times == [one.value for one in found] == sorted({60 * round((at or 0) / 60) for at in times})
        assert time.time() - 65 < (times[-1] or 0) <= time.time()

    def test_runs_that_overlap_find_the_same_values_at_the_same_times(self, url: str) -> None:
        self.wait_for_history(url)
        first = {one.at: one.value for one in collect(url, {"a": "up"}, range_s=10, step_s=1)}
        second = first
        until = time.monotonic() + 30
        while max(at or 0 for at in second) <= max(at or 0 for at in first):
            assert time.monotonic() < until
            time.sleep(0.2)
            second = {one.at: one.value for one in collect(url, {"a": "up"}, range_s=10, step_s=1)}
        both = first.keys() & second.keys()
        assert both
        assert {at: first[at] for at in both} == {at: second[at] for at in both}


def api(answer: Any, status: int = 200) -> type[Handler]:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    return answering(lambda handler: handler.answer(status, body, Content_Type="application/json"))


def data(kind: str, result: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


@pytest.mark.django_db
@pytest.mark.usefixtures("redis")
def test_widgets_ask_it_live(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates, a quantile of a histogram and sums by labels, drawn as a page does, of a real server."""
    answer_at_once(monkeypatch)
    make.source("promql", "prom", 60, url=url, live=True)
    asked = {
        'rate(prometheus_http_requests_total{code=~"$code"}[30s])': "{handler}",
        "histogram_quantile(0.9, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[1m])))": "90 %",
        "sum by (job) (up)": "",
        "scalar(sum(up)) + 41": "",
    }
    queries = [{"source": "prom", "promql": promql, "legend": legend} for promql, legend in asked.items()]
    until, now = time.monotonic() + 30, time.time()
    while time.monotonic() < until:
        now = time.time()
        rows = [
            Widget(key=k, kind=k, title=k, config={"queries": queries}, x=0, y=0, w=6, h=2) for k in ("line", "bars")
        ]
        rows = [with_values(one, {"code": Choice(("200", "4.."))}) for one in rows]
        live_queries.wait(rows, "15m", now, now)
        line, bars = widget_views(rows, "15m", now)
        values = {one.name: one.value or 0.0 for one in bars.series}
        if values.get("/api/v1/query") and values.get("90 %"):
            break
        time.sleep(0.5)
    assert (line.error, bars.error, line.note) == ("", "", "")
    assert values["/api/v1/query"] > 0
    assert 0 < values["90 %"] < 10
    assert (values["sum by (job) (up)"], values["scalar(sum(up)) + 41"]) == (1, 42)
    assert {one.name for one in line.series} >= {"/api/v1/query", "90 %", "sum by (job) (up)"}
    assert now - 11 < (bars.series[0].at or 0) <= now
    wrong = Widget(key="one", kind="bars", title="a", config={"queries": [{"source": "prom", "promql": "sum("}]})
    wrong.x = wrong.y = 0
    live_queries.wait([wrong], "15m", now, now)
    assert widget_views([wrong], "15m", now)[0].error.startswith("The source prom refuses the query: invalid parameter")


class TestTrouble:
    def test_a_query_that_is_none_is_a_sentence_of_the_server_s(self, url: str) -> None:
        with pytest.raises(SourceError, match=r"refuses the query of a: .*parse error.*\.$"):
            collect(url, {"a": "sum("})

    def test_a_query_that_is_refused_loses_no_other(self, url: str) -> None:
        with pytest.raises(SourceError, match=r"refuses the query of a: .*parse error.*\. And 1 more\.$") as failed:
            collect(url, {"a": "sum(", "b": "vector(2)", "c": ")", "d": "vector(4)"})
        assert [(one.metric, one.value) for one in failed.value.samples] == [("b", 2), ("d", 4)]

    def test_a_query_that_takes_too_long_loses_none_before_it(self) -> None:
        def answer(handler: Handler) -> None:
            if b"slow" in handler.sent():
                handler.over.wait(10)
            else:
                handler.answer(200, json.dumps(data("scalar", [1, "1"])))

        with (
            serving(answering(answer)) as base,
            pytest.raises(SourceError, match=r"did not answer within 1 s\.$") as failed,
        ):
            collect(base, {"a": "up", "b": "slow", "c": "up"}, timeout_s=1)
        assert [one.metric for one in failed.value.samples] == ["a"]

    def test_of_series_that_can_not_be_told_apart_the_first_by_name_is_kept_and_no_other_lost(self) -> None:
        metrics = [{"__name__": "b", "x": "1"}, {"__name__": "a", "x": "1"}, {"__name__": "a", "x": "2"}]
        answer = data("vector", [{"metric": one, "value": [1, str(at)]} for at, one in enumerate(metrics)])
        with serving(api(answer)) as base:
            found = collect(base, {"a": "up"})
        assert [(one.labels["x"], one.value) for one in found] == [("1", 1), ("2", 2)]
        said = "Left out: The query of a finds several series that differ in nothing but their name."
        assert found.note == said

    def test_one_that_is_only_asked_live_says_that_it_stores_nothing(self) -> None:
        with serving(api(data("vector", []))) as base:
            found = collect(base, {}, live=True)
        assert (list(found), found.note) == ([], "It answers. Widgets ask it themselves, and nothing is stored.")

    def test_too_many_samples_are_an_error_of_the_query_that_has_them(self, url: str) -> None:
        with pytest.raises(SourceError, match=r"query of b .* returns more than 10 samples\.$") as failed:
            collect(url, {"a": "vector(1)", "b": "vector(2)"}, range_s=60, step_s=10, samples_most=10)
        assert {one.metric for one in failed.value.samples} == {"a"}

    @pytest.mark.parametrize(
        ("handler", "said"),
        [
            (api("<html>", 200), "answered something that is not JSON ("),
            (api("<html>", 502), "answered 502 Bad Gateway."),
            (api({}, 404), "answered 404 Not Found."),
            (api([]), "answered something that is not of Prometheus' API."),
            (api({"status": "success"}), "answered the query of a in a form that is not known here."),
            (api(data("string", [1, "x"])), "answered the query of a in a form that is not known here."),
            (api(data("vector", [{"metric": {}, "value": [1, "x"]}])), "answered the query of a in a form that is not"),
            (api(data("vector", [{"metric": [], "value": [1, "1"]}])), "answered the query of a in a form that is not"),
            (api(data("vector", 5)), "answered the query of a in a form that is not known here."),
            (api({"status": "error", "error": "too busy."}, 503), "refuses the query of a: too busy."),
        ],
    )
    def test_what_is_no_such_server_is_a_sentence(self, handler: type[Handler], said: str) -> None:
        with serving(handler) as base, pytest.raises(SourceError) as failed:
            collect(base, {"a": "up"})
        assert str(failed.value).startswith(f"{base} {said}") or str(failed.value).startswith(f"{base}/ {said}")

    def test_a_warning_is_told(self) -> None:
        with serving(api(data("scalar", [1, "1"], warnings=["a store is away"]))) as base:
            assert collect(base, {"a": "up"}).note == "a store is away"

    @pytest.mark.parametrize("warnings", [5, "text", {"a": "b"}, [], None, [None]])
    def test_warnings_in_another_form_do_no_harm(self, warnings: Any) -> None:
        with serving(api(data("scalar", [1, "1"], warnings=warnings))) as base:
            assert len(collect(base, {"a": "up"})) == 1

    def test_a_native_histogram_is_left_out(self) -> None:
        with serving(api(data("vector", [{"metric": {}, "histogram": [1, {}]}]))) as base:
            assert collect(base, {"a": "up"}) == []

    def test_what_it_sends(self) -> None:
        asked: list[Any] = []

        def answer(handler: Handler) -> None:
            asked.append((handler.path, handler.headers["X-Scope-OrgID"], handler.sent().decode().split("&")[0]))
            handler.answer(200, json.dumps(data("scalar", [1, "1"])))

        with serving(answering(answer)) as base:
            collect(f"{base}/prom?dedup=true", {"a": "up == 1"}, headers={"X-Scope-OrgID": "shop"})
        assert asked == [("/prom/api/v1/query?dedup=true", "shop", "query=up+%3D%3D+1")]

    def test_where_the_source_may_not_connect_to_is_an_error(self, url: str) -> None:
        with limited(), pytest.raises(Forbidden):
            collect(url, {"a": "up"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner),
    max_leaves=10,
)


@given(kind=st.sampled_from(["scalar", "vector", "matrix", "string"]), result=JSON)
def test_any_answer_is_read_or_a_sentence(kind: str, result: Any) -> None:
    config = PromqlConfig(url="http://x.example", queries={"a": "up"})
    with suppress(SourceError):
        for sample in _samples("a", {"data": {"resultType": kind, "result": result}}, config):
            assert isinstance(sample.value, float)


@pytest.mark.parametrize(
    "fields",
    [
        {"queries": {}},
        {"queries": {"2xx": "up"}},
        {"queries": {"a": ""}},
        {"queries": {"a": "up"}, "units": {"b": "x"}},
        {"queries": {"a": "up"}, "range_s": 20_010, "step_s": 10},
        {"queries": {"a": "up"}, "range_s": -1},
        {"queries": {"a": "up"}, "step_s": 0},
    ],
)
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PromqlConfig(url="http://x.example/", **fields)
