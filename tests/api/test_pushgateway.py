"""The Pushgateway's paths, with Prometheus' own client and by hand."""

import base64
import gzip
import json
import time
import urllib.error
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import cramjam
import httpx
import prometheus_client as prometheus
import pytest
from django.test import Client
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import basic_auth_handler, default_handler
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from metrics.models import Sample, Series
from metrics.series import read
from metrics.series.read import Query
from tests import make
from tests.api.client import body, fields

pytestmark = pytest.mark.usefixtures("redis")

FAR = 1e11


def values(metric: str) -> dict[str, float]:
    """Current values of a metric: label values, joined -> value."""
    found = read.tracks(Query(metric), FAR)
    return {"/".join(one.labels.values()): one.latest.value for one in found if one.latest}


class Gateway:
    """Somebody with a token and nothing but HTTP."""

    def __init__(self, scope: str = "push", authorization: str = "Bearer {}", name: str = "") -> None:
        self.token = make.token(name or scope, scope)
        self.headers = {"Authorization": authorization.format(self.token)}
        self.http = Client(headers=self.headers)

    def __call__(
        self, method: str, path: str, text: bytes | str = b"", kind: str = "text/plain", **headers: str
    ) -> Any:
        return self.http.generic(method, path, text, content_type=kind, headers=headers)


@pytest.mark.django_db(transaction=True)
class TestClient:
    """prometheus_client, over a real connection."""

    @pytest.fixture
    def handler(self) -> Callable[..., Any]:
        return partial(basic_auth_handler, username="anybody", password=make.token("job", "push"))

    @pytest.fixture
    def registry(self) -> CollectorRegistry:
        return CollectorRegistry()

    def test_a_push_replaces_the_group(
        self, live_server: LiveServer, handler: Callable[..., Any], registry: CollectorRegistry
    ) -> None:
        Gauge("backup_bytes", "Size.", ["host"], registry=registry).labels("db1").set(42)
        prometheus.push_to_gateway(live_server.url, "backup", registry, handler=handler)
        assert values("backup_bytes") == {"backup/db1": 42} or values("backup_bytes") == {"db1/backup": 42}

        other = CollectorRegistry()
        Gauge("backup_files", "Files.", registry=other).set(7)
        prometheus.push_to_gateway(live_server.url, "backup", other, handler=handler)
        assert (values("backup_bytes"), values("backup_files")) == ({}, {"backup": 7})
        assert Sample.objects.filter(series__metric="backup_bytes").count() == 1

    def test_an_addition_replaces_what_has_the_same_name(
        self, live_server: LiveServer, handler: Callable[..., Any], registry: CollectorRegistry
    ) -> None:
        rows = Gauge("rows", "Rows.", ["table"], registry=registry)
        rows.labels("a").set(1)
        Counter("runs", "Runs.", registry=registry).inc()
        prometheus.pushadd_to_gateway(live_server.url, "backup", registry, handler=handler)
        other = CollectorRegistry()
        Gauge("rows", "Rows.", ["table"], registry=other).labels("b").set(2)
        prometheus.pushadd_to_gateway(live_server.url, "backup", other, handler=handler)
        assert set(values("rows").values()) == {2}
        assert values("runs_total") == {"backup": 1}
        assert Series.objects.get(metric="runs_total").type == "counter"

    def test_a_deletion_ends_the_group(
        self, live_server: LiveServer, handler: Callable[..., Any], registry: CollectorRegistry
    ) -> None:
        Gauge("up", "Up.", registry=registry).set(1)
        keys = [prometheus.instance_ip_grouping_key(), {"path": "/var/tmp x", "shop": "", "name": "ü+%/ä"}, None]
        for key in keys:
            prometheus.push_to_gateway(live_server.url, "backup", registry, key, handler=handler)
        assert len(values("up")) == 3
        for left, key in zip((2, 1, 0), keys, strict=True):
            prometheus.delete_from_gateway(live_server.url, "backup", key, handler=handler)
            assert len(values("up")) == left

    def test_a_body_may_be_packed(
        self, live_server: LiveServer, handler: Callable[..., Any], registry: CollectorRegistry
    ) -> None:
        Gauge("up", "Up.", registry=registry).set(1)
        prometheus.push_to_gateway(live_server.url, "backup", registry, handler=handler, compression="gzip")
        assert values("up") == {"backup": 1}

    def test_a_bearer_token_is_as_good(self, live_server: LiveServer, registry: CollectorRegistry) -> None:
        token = make.token("job", "push")

        def handler(url: str, method: str, timeout: float, headers: list[tuple[str, str]], data: bytes) -> Any:
            return default_handler(url, method, timeout, [*headers, ("Authorization", f"Bearer {token}")], data)

        Gauge("up", "Up.", registry=registry).set(1)
        prometheus.push_to_gateway(live_server.url, "backup", registry, handler=handler)
        assert values("up") == {"backup": 1}

    def test_of_pushes_at_the_same_time_one_is_the_last(self, live_server: LiveServer) -> None:
        headers = {"Authorization": f"Bearer {make.token('job', 'push')}"}
        pushes = [[f"m{(start + k) % 6}" for k in range(4)][:: 1 - 2 * (start % 2)] for start in range(6)]

        def put(number: int) -> int:
            text = "".join(f"{name} 1\n" for name in pushes[number % 6])
            url = (
                f"{live_server.url}/metrics/job/backup?expected_every={number + 100}"  # so that each changes the series
            )
            return httpx.put(url, content=text, headers=headers).status_code

        with ThreadPoolExecutor(6) as threads:
            assert set(threads.map(put, range(30))) == {200}
        left = {name for name in (f"m{n}" for n in range(6)) if values(name)}
        assert left in [set(names) for names in pushes]

    def test_without_a_token_it_is_an_error_there(self, live_server: LiveServer, registry: CollectorRegistry) -> None:
        with pytest.raises(urllib.error.HTTPError) as refused:
            prometheus.push_to_gateway(live_server.url, "backup", registry)
        assert refused.value.code == 401
        refused.value.close()


@pytest.mark.django_db
class TestByHand:
    @pytest.fixture
    def gateway(self) -> Gateway:
        return Gateway()

    @pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("POST", 200), ("DELETE", 202)])
    def test_the_answers_are_those_of_the_pushgateway(self, gateway: Gateway, method: str, status: int) -> None:
        response = gateway(method, "/metrics/job/backup", "" if method == "DELETE" else "up 1\n")
        assert (response.status_code, response.content) == (status, b"")

    def test_what_curl_sends_is_read(self, gateway: Gateway) -> None:
        gateway("POST", "/metrics/job/backup/instance/db1", "up 1\n", "application/x-www-form-urlencoded")
        assert list(Series.objects.values_list("metric", "labels")) == [("up", {"job": "backup", "instance": "db1"})]

    def test_openmetrics_and_packed_bodies_are_read(self, gateway: Gateway) -> None:
        kind = "application/openmetrics-text; version=1.0.0"
        text = b"# TYPE wait_seconds gauge\n# UNIT wait_seconds seconds\nwait_seconds 3\n# EOF\n"
        assert gateway("PUT", "/metrics/job/a", text, kind).status_code == 200
        assert Series.objects.get().unit == "seconds"
        snappy = {"Content-Encoding": "snappy"}
        for packed in (bytes(cramjam.snappy.compress(b"b 1\n")), bytes(cramjam.snappy.compress_raw(b"b 2\n"))):
            assert gateway("PUT", "/metrics/job/a", packed, **snappy).status_code == 200
        response = gateway("PUT", "/metrics/job/a", gzip.compress(b"b 3\n"), **{"Content-Encoding": "gzip"})
        assert response.status_code == 200

    def test_a_summary_without_observations_takes_its_old_value_along(self, gateway: Gateway) -> None:
        gateway("POST", "/metrics/job/a", '# TYPE s summary\ns{quantile="0.5"} 3\ns_count 1\ns_sum 3\n')
        gateway("POST", "/metrics/job/a", '# TYPE s summary\ns{quantile="0.5"} NaN\ns_count 0\ns_sum 0\n')
        assert values("s") == {}
        assert values("s_count") == {"a": 0}

    def test_values_may_expire(self, gateway: Gateway) -> None:
        gateway("PUT", "/metrics/job/a?expected_every=60", "up 1\n", **{"X-Expires-After": "3600"})
        series = Series.objects.get()
        assert (series.expected_every_s, series.expires_after_s) == (60, 3600)

    def test_open_widgets_are_told_that_a_value_is_gone(self, gateway: Gateway) -> None:
        made = make.dashboard(widgets=[make.widget("up")])
        gateway("PUT", "/metrics/job/a", "up 1\n")
        make.watch(make.variant("shop", "1h"), now=time.time())
        gateway("DELETE", "/metrics/job/a")
        (widget,) = make.widgets_of(made)
        assert widget.key in make.marks(make.variant("shop", "1h"))

    @pytest.mark.parametrize("authorization", ["Bearer {}", "bearer {}", "Token {}", "Token me:{}"])
    def test_the_token_may_be_written_in_many_ways(self, authorization: str) -> None:
        assert Gateway("push", authorization)("PUT", "/metrics/job/a").status_code == 200

    def test_an_admin_may_push_and_a_reader_may_not(self) -> None:
        assert Gateway("admin")("PUT", "/metrics/job/a").status_code == 200
        response = Gateway("read")("PUT", "/metrics/job/a", "up 1\n")
        assert response.status_code == 403
        assert body(response)["detail"] == (
            "This token has the scope read; push is needed: only tokens with that scope, or with admin, may do this."
        )

    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer", "Basic", "Basic !", "Basic " + base64.b64encode(b"a:b").decode(), "Basic /w==", "Digest a"],
    )
    def test_without_one_it_is_401(self, client: Client, authorization: str) -> None:
        response = client.put("/metrics/job/a", "up 1\n", headers={"Authorization": authorization})
        assert response.status_code == 401
        assert not Series.objects.exists()

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH"])
    def test_another_method_is_405(self, gateway: Gateway, method: str) -> None:
        assert gateway(method, "/metrics/job/a").status_code == 405

    @pytest.mark.parametrize(
        ("path", "text", "kind", "status", "words"),
        [
            ("/metrics/job/a/b", "up 1\n", "text/plain", 400, "pairs of /LABEL/VALUE"),
            ("/metrics/shop/a", "up 1\n", "text/plain", 400, "does not begin with /metrics/job/JOB"),
            ("/metrics/job/a", "up 1\nup", "text/plain", 400, "Line 2 can't be read"),
            ("/metrics/job/a", "up 1\n", "application/openmetrics-text", 400, "Missing # EOF"),
            ("/metrics/job/a", b"\n", "application/vnd.google.protobuf; encoding=text", 415, "only encoding=delimited"),
            ("/metrics/job/a", b"\n", "application/vnd.google.protobuf; encoding=delimited", 400, "MetricFamily"),
            ("/metrics/job/a?expires_after=never", "up 1\n", "text/plain", 422, "expires_after is not a number"),
            ("/metrics/job/a?expires_after=-1", "up 1\n", "text/plain", 422, "expires_after is not a number"),
            ("/metrics/job/a?expires_after=nan", "up 1\n", "text/plain", 422, "expires_after is not a number"),
        ],
    )
    def test_what_is_wrong_is_said_in_a_sentence(
        self, gateway: Gateway, path: str, text: bytes | str, kind: str, status: int, words: str
    ) -> None:
        gateway("PUT", "/metrics/job/a", "kept 1\n")
        response = gateway("PUT", path, text, kind)
        assert response.status_code == status
        assert words in body(response)["detail"]
        assert body(response)["detail"].endswith(".")
        assert values("kept") == {"a": 1}

    @pytest.mark.parametrize(
        ("text", "field", "words"),
        [
            ("up 1\nload +Inf\n", "value", "load: value is not a number"),
            ('up 1\nload{a="' + 201 * "x" + '"} 1\n', "labels", "load: label a is longer than 200"),
            ('up 1\n{"' + 201 * "x" + '"} 1\n', "metric", "x" * 200 + ": metric is longer than 200"),
            ("up 1\nload 1 1795176000000\n", "at", "load has a time"),
            ("up 1\nup 2\n", "metric", "up is there twice"),
        ],
    )
    def test_a_bad_sample_is_named_and_nothing_changes(
        self, gateway: Gateway, text: str, field: str, words: str
    ) -> None:
        gateway("PUT", "/metrics/job/a", "kept 1\n")
        response = gateway("PUT", "/metrics/job/a", text)
        assert response.status_code == 422
        assert fields(response) == [(1, field)]
        assert body(response)["errors"][0]["message"].startswith(words)
        assert (values("kept"), values("up")) == ({"a": 1}, {})

    def test_names_are_those_that_all_other_ways_have(self, gateway: Gateway) -> None:
        assert gateway("PUT", "/metrics/job/a/größe/1", '{"load.1m","a-b"="c"} 1\n').status_code == 200
        assert Series.objects.get().metric == "load_1m"
        assert Series.objects.get().labels == {"job": "a", "gr_e": "1", "a_b": "c"}
        assert gateway("PUT", "/metrics/job/a/größe/1", '{"load.1m","a-b"="c"} 2\n').status_code == 200
        assert Series.objects.get().ended_at_ms is None
        assert gateway("POST", "/metrics/job/a/größe/1", '{"load.1m"} 2\n').status_code == 200
        assert Series.objects.get(labels__has_key="a_b").ended_at_ms is not None

    @pytest.mark.usefixtures("one_minute")
    def test_sizes_and_rates_are_limited_as_everywhere(self, gateway: Gateway, settings: Settings) -> None:
        settings.PUSH_BODY_LIMIT_BYTES, settings.PUSH_SAMPLES_PER_MINUTE = 2000, 3
        assert gateway("PUT", "/metrics/job/a", b"#" * 2001).status_code == 413
        answers = [gateway("DELETE", "/metrics/job/a").status_code for _ in range(4)]
        assert answers.count(429) in (0, 1)
        assert gateway("PUT", "/metrics/job/a", "a 1\nb 1\nc 1\nd 1\n").status_code == 413


@pytest.mark.django_db
class TestOwners:
    @pytest.fixture
    def mine(self) -> Gateway:
        mine = Gateway()
        assert mine("PUT", "/metrics/job/backup", "up 1\n").status_code == 200
        return mine

    @pytest.fixture
    def other(self) -> Gateway:
        return Gateway(name="other")

    @pytest.mark.parametrize(("method", "text"), [("PUT", "up 2\n"), ("POST", "down 1\n"), ("DELETE", "")])
    def test_who_has_another_token_changes_nothing_of_a_group(
        self, mine: Gateway, other: Gateway, method: str, text: str
    ) -> None:
        answer = other(method, "/metrics/job/backup", text)
        assert answer.status_code == 403
        assert "belongs to push: push:" in body(answer)["detail"]
        assert (values("up"), Sample.objects.count()) == ({"backup": 1}, 1)
        assert mine("DELETE", "/metrics/job/backup").status_code == 202
        assert values("up") == {}

    def test_what_is_deleted_is_anybodys(self, mine: Gateway, other: Gateway) -> None:
        mine("DELETE", "/metrics/job/backup")
        assert other("PUT", "/metrics/job/backup", "up 2\n").status_code == 200
        assert mine("PUT", "/metrics/job/backup", "up 3\n").status_code == 403

    def test_so_is_what_was_made_with_a_token_that_is_revoked(self, mine: Gateway, other: Gateway) -> None:
        make.revoke_token("push")
        assert other("POST", "/metrics/job/backup", "down 2\n").status_code == 200
        assert Gateway()("DELETE", "/metrics/job/backup").status_code == 403
        assert (values("up"), values("down")) == ({"backup": 1}, {"backup": 2})

    def test_a_new_token_of_the_same_name_goes_on_with_it(self, mine: Gateway) -> None:
        make.revoke_token("push")
        assert Gateway()("PUT", "/metrics/job/backup", "up 2\n").status_code == 200

    def test_administrators_change_all_of_them_and_they_stay_who_s_they_were(
        self, mine: Gateway, other: Gateway
    ) -> None:
        assert Gateway("admin")("POST", "/metrics/job/backup", "down 2\n").status_code == 200
        assert mine("POST", "/metrics/job/backup", "up 2\n").status_code == 200
        assert other("DELETE", "/metrics/job/backup").status_code == 403
        assert Gateway("admin", name="root")("DELETE", "/metrics/job/backup").status_code == 202
        assert (values("up"), values("down")) == ({}, {})

    def test_what_others_push_of_its_series_in_other_ways_takes_it_from_nobody(
        self, mine: Gateway, other: Gateway
    ) -> None:
        pushed = {"samples": [{"metric": "up", "value": 5, "labels": {"job": "backup"}}]}
        assert other("POST", "/api/v1/samples", json.dumps(pushed)).status_code == 202
        assert other("DELETE", "/metrics/job/backup").status_code == 403
        assert mine("DELETE", "/metrics/job/backup").status_code == 202
