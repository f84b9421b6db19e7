"""Scraping real exporters: Prometheus' node exporter and its client for Python; and pages that are none."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, start_http_server
from pydantic import ValidationError

from metrics.batch import sift
from metrics.sample import Sample, check
from metrics.sources.base import SourceError
from metrics.sources.network_policy import Forbidden, limited
from metrics.sources.prometheus_scrape import PrometheusScrape, PrometheusScrapeConfig
from tests.debian import program
from tests.integration.stack import free_port
from tests.prometheus import running, wait_for
from tests.sources.web import Handler, answering, serving

OURS = ("up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling")


def config(url: str, **fields: Any) -> PrometheusScrapeConfig:
    return PrometheusScrapeConfig(url=url, **{"timeout_s": 10, **fields})


def collect(url: str, **fields: Any) -> list[Sample]:
    """Scrape; return the samples, having checked that they would be accepted."""
    found = PrometheusScrape().collect(config(url, **fields))
    check(found, time.time())
    return found


def told(found: list[Sample]) -> dict[str, float]:
    """Samples about the scrape itself, except how long it took."""
    return {one.metric: one.value for one in found if one.metric in OURS and one.metric != "scrape_duration_seconds"}


def scraped(found: list[Sample]) -> list[Sample]:
    return [one for one in found if one.metric not in OURS]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prometheus' exporter of a machine's metrics."""
    port, log = free_port(), tmp_path_factory.mktemp("node") / "log"
    with running([program("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"], log):
        wait_for(f"http://127.0.0.1:{port}/metrics", "node_load1", log)
        yield f"http://127.0.0.1:{port}/metrics"


@pytest.fixture(scope="module")
def client() -> Iterator[str]:
    """A program with Prometheus' client, which answers in OpenMetrics."""
    registry = CollectorRegistry()
    Counter("orders", "Orders.", ["shop"], registry=registry).labels("berne").inc(3)
    Gauge("disk", "Disk.", unit="bytes", registry=registry).set(5)
    Gauge("never", "Nothing yet.", registry=registry).set(float("nan"))
    Histogram("wait", "Wait.", unit="seconds", buckets=[1], registry=registry).observe(0.25)
    Summary("size", "Size.", registry=registry).observe(2)
    Gauge("busy", "Busy.", ["job", "instance"], registry=registry).labels("print", "a4").set(1)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


class TestNodeExporter:
    def test_all_of_it_is_kept(self, node: str) -> None:
        found = collect(node, job="node")
        said = told(found)
        assert said["up"] == 1
        assert said["scrape_samples_scraped"] > 100
        assert len(scraped(found)) == said["scrape_samples_post_metric_relabeling"]
        assert {(one.labels["job"], one.labels["instance"]) for one in found} == {("node", node.split("/")[2])}

    def test_types_are_those_of_prometheus(self, node: str) -> None:
        types = {one.metric: one.type for one in collect(node)}
        assert (types["node_cpu_seconds_total"], types["node_load1"], types["up"]) == ("counter", "gauge", "gauge")

    def test_what_is_not_on_the_list_is_left_out(self, node: str) -> None:
        found = collect(node, names=["node_load1", "node_memory_*_bytes"])
        metrics = {one.metric for one in scraped(found)}
        assert {"node_load1", "node_memory_MemFree_bytes"} <= metrics
        assert not {"node_load15", "node_cpu_seconds_total"} & metrics
        assert told(found)["scrape_samples_scraped"] > told(found)["scrape_samples_post_metric_relabeling"]

    def test_too_many_are_an_error_that_is_also_a_sample(self, node: str) -> None:
        with pytest.raises(SourceError, match=r"samples to keep, more than 10\.$") as failed:
            collect(node, samples_most=10)
        assert told(failed.value.samples) == {"up": 0}


class TestClient:
    def test_everything_that_it_has_is_kept(self, client: str) -> None:
        found = {
            (one.metric, one.labels.get("le", "")): (one.value, one.type, one.unit)
            for one in scraped(collect(client, names=["orders*", "disk*", "never", "wait*", "size*"]))
            if not one.metric.endswith("_created")
        }
        assert found == {
            ("orders_total", ""): (3, "counter", None),
            ("disk_bytes", ""): (5, "gauge", "bytes"),
            ("wait_seconds_bucket", "1.0"): (1, "counter", None),
            ("wait_seconds_bucket", "+Inf"): (1, "counter", None),
            ("wait_seconds_count", ""): (1, "counter", None),
            ("wait_seconds_sum", ""): (0.25, "counter", "seconds"),
            ("size_count", ""): (1, "counter", None),
            ("size_sum", ""): (2, "counter", None),
        }

    def test_labels_that_are_there_already_are_renamed(self, client: str) -> None:
        (busy,) = scraped(collect(client, names=["busy"], job="shop", instance="one"))
        assert busy.labels == {
            "job": "shop",
            "instance": "one",
            "exported_job": "print",
            "exported_instance": "a4",
        }

    def test_or_stay_if_they_are_to_be_honoured(self, client: str) -> None:
        (busy,) = scraped(collect(client, names=["busy"], job="shop", honor_labels=True))
        assert busy.labels == {"job": "print", "instance": "a4"}


def page(text: str, **headers: str) -> type[Handler]:
    return answering(lambda handler: handler.answer(200, text, **headers))


class TestPages:
    def test_times_and_plain_counters_are_kept_as_they_are(self) -> None:
        at = time.time() - 60
        with serving(page(f"# TYPE hits counter\nhits 5 {at * 1000:.0f}\n")) as base:
            (hits,) = scraped(collect(base))
        assert (hits.metric, hits.value, hits.type) == ("hits", 5, "counter")
        assert hits.at == pytest.approx(at, abs=0.001)

    def test_one_that_can_not_be_stored_loses_no_other(self) -> None:
        future_ms = time.time() * 1000 + 3_600_000
        text = f'good 1\nlong{{path="{"x" * 201}"}} 1\nfuture 1 {future_ms:.0f}\nendless +Inf\n{{"größe"}} 1\n'
        with serving(page(text)) as base:
            found = PrometheusScrape().collect(config(base))
        kept = sift(found, time.time())
        assert [one.metric for one in scraped([*kept.good])] == ["good", "gr_e"]
        reasons = "long: label path is longer than 200 characters; future: at is more than 10 minutes in the future"
        assert kept.refused.sentence(9).startswith(f"3 of 9 samples can't be stored, such as {reasons}; endless: ")
        assert (told(found)["scrape_samples_scraped"], told(found)["scrape_samples_post_metric_relabeling"]) == (5, 5)

    def test_a_label_that_would_be_renamed_twice_is(self) -> None:
        with serving(page('a{job="x",exported_job="y"} 1\n')) as base:
            (sample,) = scraped(collect(base, job="z", instance="i"))
        assert sample.labels == {"job": "z", "exported_job": "y", "exported_exported_job": "x", "instance": "i"}

    @pytest.mark.parametrize(
        ("handler", "said"),
        [
            (page("<html>\n"), " is no page of metrics: line 1 can't be read"),
            (
                page("a 1\n", Content_Type="application/openmetrics-text; version=1.0.0"),
                " is no page of metrics: line ",
            ),
            (page("x" * 20_000), " is no page of metrics: line 1 can't be read: it is longer than "),
            (answering(lambda handler: handler.answer(503)), " answered 503 Service Unavailable."),
            (
                answering(lambda handler: handler.answer(200, b"x", Content_Encoding="gzip")),
                " answered something that is cut off.",
            ),
            (page("a 1\n" * 2_500_000), " answered something that is longer than 8192 KiB."),
        ],
    )
    def test_what_is_none_is_an_error_that_is_also_a_sample(self, handler: type[Handler], said: str) -> None:
        with serving(handler) as base, pytest.raises(SourceError) as failed:
            collect(f"{base}/metrics")
        assert str(failed.value).startswith(f"{base}/metrics{said}")
        up, took = failed.value.samples
        assert (up.metric, up.value, up.labels) == ("up", 0, {"instance": base.removeprefix("http://")})
        assert took.metric == "scrape_duration_seconds"

    def test_nobody_there_is_down(self) -> None:
        with pytest.raises(SourceError, match=r"can't be reached \(Connection refused\)\.$") as failed:
            collect("http://127.0.0.1:1/metrics")
        assert told(failed.value.samples) == {"up": 0}

    def test_credentials_are_sent(self) -> None:
        def answer(handler: Handler) -> None:
            handler.answer(200 if handler.headers["Authorization"] == "Bearer hush" else 401, "a 1\n")

        with serving(answering(answer)) as base:
            assert told(collect(base, bearer_token="hush"))["up"] == 1
            with pytest.raises(SourceError, match="answered 401 Unauthorized"):
                collect(base)

    def test_where_the_source_may_not_connect_to_is_an_error(self) -> None:
        with limited(), pytest.raises(Forbidden) as failed:
            collect("http://127.0.0.1:1/")
        assert failed.value.samples == []

    def test_a_page_that_comes_a_byte_at_a_time_is_down_in_the_time_that_was_allowed(self) -> None:
        def drip(handler: Handler) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            while not handler.over.wait(0.05):
                handler.wfile.write(b"a")

        began = time.monotonic()
        with serving(answering(drip)) as base, pytest.raises(SourceError, match=r"did not answer within 0\.4 s\.$"):
            collect(base, timeout_s=0.4)
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("url", "instance"),
    [
        ("http://x.example/metrics", "x.example:80"),
        ("https://x.example", "x.example:443"),
        ("http://[2001:db8::1]:9100/metrics", "[2001:db8::1]:9100"),
    ],
)
def test_the_instance_is_host_and_port(url: str, instance: str) -> None:
    assert config(url).target == {"instance": instance}


@pytest.mark.parametrize(
    "fields",
    [{"names": []}, {"names": ["a b"]}, {"names": [""]}, {"samples_most": 0}, {"job": "x" * 201}, {"job": 1}],
)
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config("http://x.example/", **fields)
