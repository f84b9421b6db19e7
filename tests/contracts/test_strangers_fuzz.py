"""Every request to an address for other servers' clients and jobs is answered, and never with a 5xx.

Requests go into the whole ASGI application, the fast path in front of Django included: any path behind a door, any
query, headers and bodies that are random bytes, or what a client would send with random bytes in it.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import cramjam
import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from metrics.access.principal import SYSTEM
from metrics.actions import heartbeats
from metrics.api.fast_path import FastPath
from metrics.ingest.prompb import WriteRequest
from tests import make
from tests.loop import close

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

PROTOBUF = "application/x-protobuf"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def _written() -> bytes:
    request = WriteRequest()
    series = request.timeseries.add()
    series.labels.add(name="__name__", value="orders_open")
    series.samples.add(value=1.0, timestamp=1_795_176_000_000)
    return bytes(request.SerializeToString())


def _exported() -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="orders.open", unit="1")
    metric.gauge.data_points.add(as_double=1.5, time_unix_nano=1_795_176_000_000_000_000)
    return bytes(request.SerializeToString())


JSON_SAMPLES = (
    b'{"samples": [{"metric": "orders_open", "value": 1, "labels": {"shop": "a"}, "at": "2026-11-20T12:00:00Z"}]}'
)
OTLP_JSON = (
    b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}'
)
ALERTS = b'[{"labels": {"alertname": "A", "b": "c"}, "startsAt": "2026-11-20T12:00:00Z", "annotations": {"d": "e"}}]'
WEBHOOK = b'{"alerts": [{"status": "firing", "labels": {"alertname": "A"}, "endsAt": "0001-01-01T00:00:00Z"}]}'
TEXT = b'# TYPE orders_open gauge\norders_open{shop="a"} 1\n'


@dataclass(frozen=True, slots=True)
class Door:
    """Where strangers knock: `path`, what is `right` behind it, and which other words are known there.

    `bodies` are what clients send, `kinds` the types they say it is of, and `queries` what a query may have.
    `packing` is how a client packs them.
    """

    path: str
    right: tuple[str, ...] = ("",)
    words: tuple[str, ...] = ()
    bodies: tuple[bytes, ...] = (b"",)
    kinds: tuple[str, ...] = ("text/plain", "application/json")
    queries: tuple[str, ...] = ()
    packing: str = ""


DOORS = (
    Door("/ping/", ("KEY", "KEY/start", "KEY/1"), ("fail", "0", "255", "256", "log"), (b"done\n",), queries=("rid",)),
    Door(
        "/metrics/",
        ("job/nightly", "job/nightly/shop/a", "job@base64/c2hvcA"),
        ("job", "job@base64", "instance", "shop", "c2hvcA", "shop@base64"),
        (TEXT,),
        ("text/plain; version=0.0.4", "application/openmetrics-text", "application/vnd.google.protobuf"),
        ("expires_after", "expected_every"),
    ),
    Door("/write", bodies=(b"orders,shop=a open=1 1795176000000000000\n",), queries=("precision", "db", "p", "u")),
    Door("/api/v2/write", bodies=(b'orders,shop=a open=1i,text="a b"\n',), queries=("precision", "bucket", "p")),
    Door(
        "/v1/metrics", bodies=(_exported(), OTLP_JSON), kinds=(PROTOBUF, "application/json"), queries=("expires_after",)
    ),
    Door(
        "/api/v1/write",
        bodies=(_written(),),
        kinds=(PROTOBUF, f"{PROTOBUF};proto=prometheus.WriteRequest"),
        queries=("expires_after",),
        packing="snappy",
    ),
    Door(
        "/api/v2/alerts",
        bodies=(ALERTS,),
        kinds=("application/json",),
        words=("groups",),
        queries=("filter", "active", "receiver"),
    ),
    Door("/api/v1/alerts", bodies=(WEBHOOK, ALERTS), kinds=("application/json",)),
    Door("/api/v2/", ("status", "silences", "silence/x"), ("receivers",), (b"", b"{}"), queries=("filter",)),
    Door("/api/v1/samples", bodies=(JSON_SAMPLES,), kinds=("application/json",)),
    Door("/api/", ("v1/openapi.json",), words=("v1", "docs", "sources")),
)


@dataclass(frozen=True, slots=True)
class Knock:
    """One request."""

    method: str
    path: str
    query: bytes
    headers: dict[str, bytes]
    body: bytes


@st.composite
def bodies(draw: st.DrawFn, door: Door) -> bytes:
    """A request as a client would send it, as it is or with something else in the midst of it; or anything."""
    whole = draw(st.sampled_from(door.bodies) | st.binary(max_size=60))
    if draw(st.booleans()):
        at, size = draw(st.integers(0, len(whole))), draw(st.integers(0, 9))
        whole = whole[:at] + draw(st.binary(max_size=6)) + whole[at + size :]
    return whole


PACKING: dict[str, Callable[[bytes], Any]] = {
    "": bytes,
    "gzip": gzip.compress,
    "snappy": cramjam.snappy.compress_raw,
    "deflate": bytes,
    "br": bytes,
}


@st.composite
def knocks(draw: st.DrawFn, door: Door) -> Knock:
    path = door.path + draw(st.sampled_from(door.right) | st.lists(texts, max_size=4).map("/".join))
    if draw(st.booleans()) and door.words:
        path += "/" + "/".join(draw(st.lists(st.sampled_from(door.words) | texts, max_size=4)))
    names = st.sampled_from(door.queries) | texts if door.queries else texts
    values = st.sampled_from(["1", "s", "ns", "nan", "-1", "1e999", "TOKEN"]) | texts
    query = urlencode(draw(st.dictionaries(names, values, max_size=2))).encode() or draw(st.binary(max_size=8))
    body, packing = draw(bodies(door)), draw(st.sampled_from(sorted(PACKING)))
    headers = {
        "content-type": draw(st.sampled_from(door.kinds).map(str.encode) | st.binary(max_size=8)),
        "authorization": draw(
            st.sampled_from([b"Bearer TOKEN"] * 8 + [b"Token TOKEN", b"Basic \xff", b"", b"Bearer \xe9"])
        ),
    }
    if packing and draw(st.booleans()):
        headers["content-encoding"] = packing.encode()
        body = bytes(PACKING[packing](body)) if draw(st.booleans()) else body
    extra = st.sampled_from(
        ["idempotency-key", "x-expires-after", "x-expected-every", "x-prometheus-remote-write-version"]
    )
    headers |= draw(st.dictionaries(extra, st.sampled_from([b"1", b"60"]) | st.binary(max_size=6), max_size=2))
    return Knock(
        draw(st.sampled_from(["POST"] * 4 + ["PUT", "GET", "HEAD", "DELETE", "PATCH"])), path, query, headers, body
    )


def rightly(door: Door) -> Knock:
    """Return what a client would send that knows its way."""
    headers = {"authorization": b"Bearer TOKEN", "content-type": door.kinds[0].encode()}
    body = door.bodies[0]
    if door.packing:
        headers["content-encoding"] = door.packing.encode()
        body = bytes(PACKING[door.packing](body))
    return Knock("POST" if body else "GET", door.path + door.right[0], b"", headers, body)


async def answer(application: Callable[..., Awaitable[None]], knock: Knock) -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "method": knock.method,
        "path": knock.path,
        "query_string": knock.query,
        "headers": [(name.encode(), value) for name, value in knock.headers.items()]
        + [(b"content-length", b"%d" % len(knock.body)), (b"host", b"localhost")],
    }
    client: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await client.send_input({"type": "http.request", "body": knock.body})
    start, body, more = await client.receive_output(10), b"", True
    while more:
        message = await client.receive_output(10)
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await client.wait(10)  # for what Django does after it answered: it closes its files and connections
    return start["status"], body


@pytest.fixture
def known() -> dict[str, str]:
    """Words in requests, and the values that are sent in their places."""
    return {"TOKEN": make.token("stranger", "push"), "KEY": heartbeats.create(SYSTEM, "job", every_s=60).key}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.path)
def test_no_stranger_makes_it_fail(door: Door, known: dict[str, str]) -> None:
    """Begins with what is right, which is taken."""
    right = rightly(door)

    @settings(max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(knocks(door))
    @example(right)
    def knock(one: Knock) -> None:
        sent = Knock(
            one.method,
            one.path.replace("KEY", known["KEY"]),
            one.query.replace(b"TOKEN", known["TOKEN"].encode()),
            {name: value.replace(b"TOKEN", known["TOKEN"].encode()) for name, value in one.headers.items()},
            one.body,
        )
        status, body = runner.run(answer(fast_path, sent))
        assert status < 500, body.decode(errors="replace")
        assert status in (200, 202, 204) or one != right, body.decode(errors="replace")

    with asyncio.Runner() as runner:
        fast_path = FastPath(get_asgi_application())
        try:
            knock()
        finally:
            runner.run(close())
