"""OTLP: what real instruments export arrives, and what an exporter is told in every other case."""

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Meter, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from metrics.api.otlp import JSON, PROTOBUF, Status
from metrics.models import Sample, Series
from metrics.sample import series_key
from tests.api.client import Program

PATH = "/v1/metrics"
NOTHING = b"\x0a\x00"
"""An ExportMetricsServiceRequest of one resource without metrics."""
DELTA = AggregationTemporality.DELTA


@pytest.fixture
def program(redis: Any) -> Program:
    return Program("push")


def send(program: Program, raw: bytes, kind: str = PROTOBUF, **headers: str) -> HttpResponse:
    given = {"Authorization": f"Bearer {program.token}", **headers}
    return program.http.post(PATH, raw, content_type=kind, headers=given)  # type: ignore[return-value]


def one_gauge(name: str = "orders.open", **point: Any) -> dict[str, Any]:
    value = {} if "asDouble" in point else {"asInt": "42"}
    data = {"dataPoints": [{**value, "timeUnixNano": "1795176000000000000", **point}]}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, "gauge": data}]}]}]}


def rises_and_falls() -> dict[str, Any]:
    data = {"dataPoints": [{"asInt": "1"}], "aggregationTemporality": 1}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "open", "sum": data}]}]}]}


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def said(response: HttpResponse) -> str:
    """Return the sentence of a Status, in either encoding."""
    if response["Content-Type"] == JSON:
        message: str = json.loads(response.content)["message"]
    else:
        assert response["Content-Type"] == PROTOBUF
        message = Status.FromString(response.content).message
    assert message.endswith(".")
    return message


@pytest.mark.django_db
class TestAnswers:
    def test_json_is_answered_in_json(self, program: Program) -> None:
        response = send(program, as_json(one_gauge()), JSON)
        assert (response.status_code, response["Content-Type"]) == (200, JSON)
        assert json.loads(response.content) == {}
        assert Sample.objects.get().value == 42

    def test_protocol_buffers_in_protocol_buffers(self, program: Program) -> None:
        response = send(program, NOTHING)
        assert (response.status_code, response["Content-Type"]) == (200, PROTOBUF)
        assert ExportMetricsServiceResponse.FromString(response.content) == ExportMetricsServiceResponse()

    def test_the_series_belong_to_the_token(self, program: Program) -> None:
        send(program, as_json(one_gauge()), JSON)
        source = Series.objects.get().source
        assert source is not None
        assert source.name == "push: job"

    def test_it_may_be_packed(self, program: Program) -> None:
        packed = gzip.compress(as_json(one_gauge()))
        assert send(program, packed, JSON, **{"Content-Encoding": "gzip"}).status_code == 200
        assert Sample.objects.count() == 1

    def test_a_header_may_say_when_values_lapse(self, program: Program) -> None:
        send(program, as_json(one_gauge()), JSON, **{"X-Expires-After": "60"})
        assert Series.objects.get().expires_after_s == 60

    def test_what_is_left_out_is_said(self, program: Program) -> None:
        document = one_gauge()
        document["resourceMetrics"] += rises_and_falls()["resourceMetrics"]
        response = send(program, as_json(document), JSON)
        assert response.status_code == 200
        assert Series.objects.get().metric == "orders_open"
        partial = json.loads(response.content)["partialSuccess"]
        assert partial["rejectedDataPoints"] == "1"
        assert partial["errorMessage"].endswith("so it has to be cumulative.")

    @pytest.mark.parametrize(
        ("raw", "kind", "words"),
        [
            (b"{", JSON, "The body is not "),
            (b"\x0a", PROTOBUF, "The body is not "),
            (as_json(one_gauge("x" * 201)), JSON, "Nothing was stored: xxx"),
            (as_json(one_gauge(asDouble="NaN")), JSON, "Nothing was stored: orders_open: value is"),
            (as_json(one_gauge(timeUnixNano="9000000000000000000")), JSON, "Nothing was stored: orders_open: at is"),
        ],
    )
    def test_what_can_never_be_stored_is_400(self, program: Program, raw: bytes, kind: str, words: str) -> None:
        response = send(program, raw, kind)
        assert response.status_code == 400
        assert said(response).startswith(words)
        assert not Sample.objects.exists()

    def test_one_bad_point_loses_no_other_and_is_counted(self, program: Program) -> None:
        document = one_gauge()
        document["resourceMetrics"] += one_gauge("x" * 201)["resourceMetrics"]
        response = send(program, as_json(document), JSON)
        assert response.status_code == 200
        assert json.loads(response.content)["partialSuccess"] == {
            "rejectedDataPoints": "1",
            "errorMessage": f"{'x' * 200}: metric is longer than 200 characters.",
        }
        assert Series.objects.get().metric == "orders_open"

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
    def test_another_content_type_is_415(self, program: Program, kind: str) -> None:
        response = send(program, b"", kind)
        assert response.status_code == 415
        assert "Content-Type" in said(response)

    def test_what_is_too_large_is_413(self, program: Program, settings: Settings) -> None:
        settings.PUSH_BODY_LIMIT_BYTES = 2000
        response = send(program, gzip.compress(b"{" + b" " * 2000), JSON, **{"Content-Encoding": "gzip"})
        assert response.status_code == 413
        assert said(response)

    @pytest.mark.usefixtures("one_minute")
    @pytest.mark.parametrize("kind", [JSON, PROTOBUF])
    def test_too_much_is_429_and_a_database_that_is_away_503_both_say_when_to_come_again(
        self, program: Program, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        settings.PUSH_SAMPLES_PER_MINUTE = 1
        send(program, as_json(one_gauge()), JSON)
        too_fast = send(program, b"{}" if kind == JSON else NOTHING, kind)

        def unreachable(*_: Any) -> None:
            raise OperationalError("away")

        settings.PUSH_SAMPLES_PER_MINUTE = 100
        monkeypatch.setattr("metrics.api.push.times.given", unreachable)
        without = send(program, b"{}" if kind == JSON else NOTHING, kind)
        assert [too_fast.status_code, without.status_code] == [429, 503]
        assert all(int(response["Retry-After"]) > 0 and said(response) for response in (too_fast, without))

    @pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("admin", 200)])
    @pytest.mark.usefixtures("redis")
    def test_a_token_is_needed(self, scope: str | None, status: int) -> None:
        response = send(Program(scope), as_json(one_gauge()), JSON)
        assert response.status_code == status
        if status != 200:
            assert said(response)

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_another_method_is_405(self, program: Program, method: str) -> None:
        headers = {"Authorization": f"Bearer {program.token}"}
        assert getattr(program.http, method)(PATH, headers=headers).status_code == 405


@contextmanager
def shop(live_server: LiveServer, program: Program, **options: Any) -> Iterator[tuple[Meter, MeterProvider]]:
    """A program with OpenTelemetry: its meter, and the provider that exports when it is told to."""
    exporter = OTLPMetricExporter(
        f"{live_server.url}{PATH}", headers={"Authorization": f"Bearer {program.token}"}, timeout=20, **options
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
    resource = Resource({"service.name": "shop", "service.instance.id": "a-1", "host.name": "x"})
    provider = MeterProvider([reader], resource)
    try:
        yield provider.get_meter("tests"), provider
        assert provider.force_flush()
    finally:
        provider.shutdown()


def values(metric: str, **labels: str) -> list[float]:
    wanted = {"job": "shop", "instance": "a-1", **labels}
    rows = Sample.objects.filter(series__key=series_key(metric, wanted)).order_by("at_ms")
    return list(rows.values_list("value", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_what_real_instruments_measure_arrives(
    live_server: LiveServer, program: Program, compression: Compression
) -> None:
    with shop(live_server, program, compression=compression) as (meter, provider):
        orders = meter.create_counter("orders", unit="{order}")
        wait = meter.create_histogram("wait", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1])
        open_ = meter.create_up_down_counter("orders.open")
        meter.create_gauge("disk", unit="By").set(5)
        meter.create_observable_gauge("cpu.share", [lambda _: [Observation(0.25, {"core": 0})]], unit="1")
        for value in (0.05, 0.5, 5):
            orders.add(2, {"http.method": "GET"})
            wait.record(value)
            open_.add(1 if value < 1 else -1)
            assert provider.force_flush()
    # Counters begin with a zero, at the start that the instruments tell.
    assert values("orders_total", http_method="GET")[:4] == [0, 2, 4, 6]
    assert values("wait_seconds_count")[:4] == [0, 1, 2, 3]
    assert values("wait_seconds_sum")[3] == pytest.approx(5.55)
    assert [values("wait_seconds_bucket", le=le)[3] for le in ("0.1", "1.0", "+Inf")] == [1, 2, 3]
    assert values("orders_open")[:3] == [1, 2, 1]
    assert values("disk_bytes")[0] == 5
    assert values("cpu_share_ratio", core="0")[0] == 0.25
    said = dict(Series.objects.values_list("metric", "type"))
    assert [said[name] for name in ("orders_total", "wait_seconds_bucket", "orders_open")] == [
        "counter",
        "counter",
        "gauge",
    ]
    assert Series.objects.get(metric="disk_bytes").unit == "bytes"


def later_by_milliseconds() -> None:
    """Return when a time in milliseconds is another one, rounded up or down."""
    until = time.time_ns() + 2_000_000
    while time.time_ns() < until:
        time.sleep(0.001)


@pytest.mark.django_db(transaction=True)
def test_increases_become_totals(live_server: LiveServer, program: Program) -> None:
    temporality = {Counter: DELTA, Histogram: DELTA, ObservableCounter: DELTA}
    with shop(live_server, program, preferred_temporality=temporality) as (meter, provider):
        orders = meter.create_counter("orders")
        wait = meter.create_histogram("wait", explicit_bucket_boundaries_advisory=[1])
        for value in (0.5, None, 2, 3):
            if value is not None:
                orders.add(value)
                wait.record(value)
            later_by_milliseconds()  # increases are told apart by them
            assert provider.force_flush()
    # Each rise begins where the total was: at the start, and after the pause in which nothing was exported.
    assert values("orders_total") == [0, 0.5, 0.5, 2.5, 5.5]
    assert values("wait_count") == [0, 1, 1, 2, 3]
    assert values("wait_bucket", le="1.0") == [0, 1, 1, 1, 1]
    assert values("wait_bucket", le="+Inf") == [0, 1, 1, 2, 3]
    assert Series.objects.get(metric="orders_total").type == "counter"


@pytest.mark.django_db(transaction=True)
def test_a_program_that_begins_anew_goes_on_with_its_totals(live_server: LiveServer, program: Program) -> None:
    for _ in range(2):
        with shop(live_server, program, preferred_temporality={Counter: DELTA}) as (meter, _):
            meter.create_counter("orders").add(3)
    assert values("orders_total")[-1] == 6


@pytest.mark.django_db(transaction=True)
def test_exponential_histograms_arrive(live_server: LiveServer, program: Program) -> None:
    aggregation = {Histogram: ExponentialBucketHistogramAggregation()}
    with shop(live_server, program, preferred_aggregation=aggregation) as (meter, _):
        wait = meter.create_histogram("wait")
        for value in (0, 0.3, 3, 3.5, 1000):
            wait.record(value)
    assert values("wait_count") == [0, 5]
    buckets = Series.objects.filter(metric="wait_bucket").values_list("labels", flat=True)
    found = {float(labels["le"]): values("wait_bucket", le=labels["le"])[1] for labels in buckets}
    assert found == {0: 1, 0.5: 2, 4: 4, 1024: 5, float("inf"): 5}


@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_sent_twice_counts_once(live_server: LiveServer, program: Program) -> None:
    sent: list[ExportMetricsServiceRequest] = []

    class Twice(OTLPMetricExporter):
        """As if the first answer had been lost."""

        def _export_batch(self, request: ExportMetricsServiceRequest) -> Any:
            sent.append(request)
            super()._export_batch(request)
            return super()._export_batch(request)

    headers = {"Authorization": f"Bearer {program.token}"}
    exporter = Twice(f"{live_server.url}{PATH}", headers=headers, preferred_temporality={Counter: DELTA})
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))])
    provider.get_meter("tests").create_counter("orders").add(3)
    provider.force_flush()
    provider.shutdown()
    assert len(sent) == 1
    assert Sample.objects.order_by("-at_ms").values_list("value", flat=True)[0] == 3
