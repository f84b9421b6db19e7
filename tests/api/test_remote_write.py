"""Remote write: what a real Prometheus sends arrives, and what a sender is told in every other case."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cramjam
import pytest
from django.db import OperationalError
from django.http import HttpResponse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from metrics.ingest.prompb import WriteRequest
from metrics.models import Sample, Series
from metrics.series import read
from metrics.series.read import Query
from tests.api.client import Program, body
from tests.prometheus import prometheus

PATH = "/api/v1/write"
LABELS = {"__name__": "orders_open", "shop": "north"}
AT_MS = 1_795_176_000_000


@pytest.fixture
def program(redis: Any) -> Program:
    return Program("push")


def packed(*series: dict[str, str], value: float = 1.0) -> bytes:
    made = WriteRequest()
    for labels in series:
        one = made.timeseries.add()
        for name, text in labels.items():
            one.labels.add(name=name, value=text)
        one.samples.add(value=value, timestamp=AT_MS)
    return bytes(cramjam.snappy.compress_raw(made.SerializeToString()))


def send(program: Program, raw: bytes, content_type: str = "application/x-protobuf", **headers: str) -> HttpResponse:
    given = {
        "Authorization": f"Bearer {program.token}",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        **headers,
    }
    return program.http.post(PATH, raw, content_type=content_type, headers=given)  # type: ignore[return-value]


@pytest.mark.django_db
class TestAnswers:
    def test_what_is_stored_is_204_and_nothing_more(self, program: Program) -> None:
        response = send(program, packed(LABELS))
        assert (response.status_code, response.content) == (204, b"")
        series = Series.objects.get()
        assert (series.metric, series.labels) == ("orders_open", {"shop": "north"})
        assert series.source is not None
        assert series.source.name == "push: job"
        assert Sample.objects.get().at_ms == AT_MS

    def test_sent_again_it_changes_nothing(self, program: Program) -> None:
        assert [send(program, packed(LABELS, value=n)).status_code for n in range(3)] == [204, 204, 204]
        assert Sample.objects.get().value == 0

    def test_an_empty_request_is_204(self, program: Program) -> None:
        assert send(program, packed()).status_code == 204

    def test_what_is_said_about_metrics_holds_for_the_tokens_own_series(self, program: Program) -> None:
        other = Program("push", "other")
        for one in (program, other):
            send(one, packed({"__name__": "orders_total", "by": str(one is program)}))
        about = WriteRequest()
        about.metadata.add(type=1, metric_family_name="orders", unit="orders")
        raw = bytes(cramjam.snappy.compress_raw(about.SerializeToString()))
        assert [send(program, raw).status_code for _ in range(2)] == [204, 204]
        said = Series.objects.order_by("labels__by").values_list("type", "unit")
        assert list(said) == [("", ""), ("counter", "orders")]

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            ({**LABELS, "path": "x" * 201}, "orders_open: label path is longer than 200 characters."),
            ({"shop": "north"}, "A series has no label __name__."),
            ({**LABELS, **{f"l{n}": "x" for n in range(21)}}, "labels has 22 entries, more than 20."),
        ],
    )
    def test_what_can_never_be_stored_is_400_and_the_rest_is_stored(
        self, program: Program, labels: dict[str, str], words: str
    ) -> None:
        response = send(program, packed(labels, LABELS))
        assert response.status_code == 400
        said = f"1 of 2 samples can't be stored, such as {words} The rest is stored."
        assert body(response) == {"detail": said, "errors": None} or body(response)["detail"] == said
        assert Sample.objects.get().series.labels == {"shop": "north"}
        assert body(send(program, packed(labels)))["detail"].startswith("1 of 1 samples can't be stored")

    @pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": ""}])
    def test_without_an_encoding_it_is_snappy(self, program: Program, encoding: dict[str, str]) -> None:
        headers = {"Authorization": f"Bearer {program.token}", **encoding}
        response = program.http.post(PATH, packed(LABELS), content_type="application/x-protobuf", headers=headers)
        assert response.status_code == 204
        assert Sample.objects.count() == 1

    def test_values_that_are_no_number_are_left_out_without_a_word(self, program: Program) -> None:
        assert send(program, packed(LABELS, value=float("inf"))).status_code == 204
        assert not Sample.objects.exists()

    @pytest.mark.parametrize("raw", [b"\x05a", b"orders_open 1", bytes(cramjam.snappy.compress_raw(b"orders_open 1"))])
    def test_what_is_no_request_is_400(self, program: Program, raw: bytes) -> None:
        response = send(program, raw)
        assert response.status_code == 400
        assert body(response)["detail"].endswith(".")

    @pytest.mark.parametrize(
        ("proto", "status"), [("prometheus.WriteRequest", 204), ("io.prometheus.write.v2.Request", 415)]
    )
    def test_messages_of_version_2_are_415(self, program: Program, proto: str, status: int) -> None:
        assert send(program, packed(LABELS), f"application/x-protobuf;proto={proto}").status_code == status

    def test_what_is_too_large_is_413(self, program: Program, settings: Settings) -> None:
        settings.PUSH_BODY_LIMIT_BYTES = 2000
        assert send(program, bytes(cramjam.snappy.compress_raw(b"\0" * 2001))).status_code == 413

    @pytest.mark.usefixtures("one_minute")
    def test_too_much_is_429_and_a_database_that_is_away_503_both_say_when_to_come_again(
        self, program: Program, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.PUSH_SAMPLES_PER_MINUTE = 2
        send(program, packed(LABELS, LABELS))
        too_fast = send(program, packed(LABELS))

        def unreachable(*_: Any) -> None:
            raise OperationalError("away")

        settings.PUSH_SAMPLES_PER_MINUTE = 100
        monkeypatch.setattr("metrics.actions.samples.write", unreachable)
        without = send(program, packed(LABELS))
        assert [too_fast.status_code, without.status_code] == [429, 503]
        assert all(int(response["Retry-After"]) > 0 for response in (too_fast, without))

    @pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("admin", 204)])
    @pytest.mark.usefixtures("redis")
    def test_a_token_is_needed(self, scope: str | None, status: int) -> None:
        assert send(Program(scope), packed(LABELS)).status_code == status


@pytest.fixture
def shop() -> Iterator[list[str]]:
    """Something to scrape: the lines it shows, behind its port."""
    lines: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write("\n".join([*lines[1:], ""]).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        lines.append(f"127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield lines
        server.shutdown()


def wait_until(true: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + 45
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.2)


def latest(metric: str, **labels: str) -> float | None:
    for track in read.tracks(Query(metric, labels), time.time() + 1):
        return track.latest.value if track.latest else None
    return None


@pytest.mark.django_db(transaction=True)
def test_what_a_real_prometheus_scrapes_arrives(live_server: LiveServer, program: Program, shop: list[str]) -> None:
    shop += ["# TYPE orders_total counter", 'orders_total{shop="nörd"} 7', "queue NaN", "open 3"]
    config = f"""
  - job_name: shop
    static_configs:
      - targets: ["{shop[0]}"]
remote_write:
  - url: {live_server.url}{PATH}
    authorization:
      credentials: {program.token}
    queue_config:
      batch_send_deadline: 1s
      retry_on_http_429: true
    metadata_config:
      send_interval: 1s
"""
    with prometheus(config):
        wait_until(lambda: latest("up", job="shop") == 1, "up")
        wait_until(lambda: latest("orders_total", instance=shop[0]) == 7, "orders_total")
        assert Series.objects.get(metric="orders_total").labels == {"shop": "nörd", "job": "shop", "instance": shop[0]}
        assert not Series.objects.filter(metric="queue").exists()
        wait_until(lambda: Series.objects.get(metric="orders_total").type == "counter", "what is said about it")
        wait_until(lambda: latest("prometheus_build_info") == 1, "its own metrics")

        shop.remove("open 3")
        wait_until(lambda: latest("open") is None, "the end of a series")
        assert Series.objects.get(metric="open").ended_at_ms
        shop.append("open 4")
        wait_until(lambda: latest("open") == 4, "a series that goes on")
