"""Programs that push: what each sends to get in, and that its good samples are kept beside its bad ones."""

import base64
import json
from typing import Any

import pytest
from django.http import HttpResponse
from influxdb_client import InfluxDBClient
from pytest_django.live_server_helper import LiveServer

from metrics.models import Sample, Series
from tests import make
from tests.api.client import Program, body
from tests.api.test_remote_write import LABELS, packed
from tests.ingest.test_agents import recorded

pytestmark = pytest.mark.usefixtures("redis")

EVERY = {
    "/api/v1/samples": ("application/json", b'{"samples": [{"metric": "a", "value": 1}]}'),
    "/api/v1/write": ("application/x-protobuf", packed(LABELS)),
    "/api/v1/collectd": ("application/json", recorded("collectd.json")),
    "/api/put": ("application/json", recorded("netdata.json")),
    "/metrics/job/a": ("text/plain", b"a 1\n"),
    "/write": ("text/plain", b"a v=1"),
    "/api/v2/write": ("text/plain", b"a v=1"),
    "/v1/metrics": ("application/json", b"{}"),
}


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"any: name:{token}".encode()).decode()


def push(path: str, authorization: str = "", raw: bytes = b"", kind: str = "") -> HttpResponse:
    usual_kind, usual = EVERY[path]
    headers = {"Authorization": authorization} if authorization else {}
    return Program(None).http.post(path, raw or usual, content_type=kind or usual_kind, headers=headers)  # type: ignore[return-value]


@pytest.mark.django_db
@pytest.mark.parametrize("path", EVERY)
def test_the_token_may_be_a_password_on_every_path_and_who_sends_none_is_asked_for_it(path: str) -> None:
    token = make.token("job", "push")
    ways = [f"Bearer {token}", f"bearer {token}", f"Token {token}", f"Token me:{token}", basic(token)]
    assert {push(path, way).status_code for way in ways} <= {200, 202, 204}
    for way in ("", basic("wf_x"), "Basic x", f"Digest {token}", basic("")):
        refused = push(path, way)
        assert refused.status_code == 401, way
        # collectd's curl sends the password only if it is asked for it.
        assert refused["WWW-Authenticate"].startswith("Bearer, Basic realm=")


@pytest.mark.django_db
def test_only_what_pushes_takes_a_password() -> None:
    program = Program("admin")
    response = program.http.get("/api/v1/series?metric=a", headers={"Authorization": basic(program.token)})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.django_db
class TestAgents:
    @pytest.fixture
    def authorization(self) -> str:
        return basic(make.token("agents", "push"))

    def test_collectd(self, authorization: str) -> None:
        assert push("/api/v1/collectd", authorization).status_code == 204
        one = Series.objects.get(metric="collectd_load_shortterm")
        assert (one.labels, one.type, one.expected_every_s) == ({"instance": "db1"}, "gauge", 2.0)

    def test_netdata(self, authorization: str) -> None:
        assert push("/api/put", authorization).status_code == 204
        assert push("/api/put", authorization, recorded("netdata_opentsdb.json")).status_code == 204
        assert Series.objects.get(labels__dimension="steal").metric == "netdata_system_cpu"
        assert Series.objects.get(metric="netdata_system_cpu_steal").labels["host"] == "db1"

    @pytest.mark.parametrize("path", ["/api/put", "/api/v1/collectd"])
    def test_one_bad_entry_loses_no_other(self, authorization: str, path: str) -> None:
        entries: list[Any] = json.loads(EVERY[path][1])
        assert push(path, authorization, json.dumps([*entries[:2], 5]).encode()).status_code == 400
        stored = Sample.objects.count()
        assert stored >= 2
        said = body(push(path, authorization, json.dumps([*entries[:2], 5]).encode()))["detail"]
        assert said.startswith(f"1 of {stored + 1} samples can't be stored, such as ")
        assert said.endswith(" The rest is stored.")

    @pytest.mark.parametrize("path", ["/api/put", "/api/v1/collectd"])
    def test_a_body_that_is_no_json_is_400(self, authorization: str, path: str) -> None:
        assert push(path, authorization, b"netdata.db1.load 1 1").status_code == 400


@pytest.mark.django_db
class TestNames:
    """One rule, whichever way a name comes."""

    def test_all_ways_lead_to_one_series(self) -> None:
        token = f"Bearer {make.token('job', 'push')}"
        sample = {"metric": "größe.x", "value": 1, "labels": {"a.b": "c", "no": ""}}
        ways = {
            "/api/v1/samples": json.dumps({"samples": [sample]}).encode(),
            "/api/v1/write": packed({"__name__": "größe.x", "a.b": "c", "no": ""}),
            "/api/put": json.dumps({"metric": "größe.x", "value": 1, "tags": {"a.b": "c"}}).encode(),
            "/api/v2/write": "größe.x,a.b=c value=1".encode(),
        }
        assert {push(path, token, raw).status_code for path, raw in ways.items()} == {202, 204}
        assert Series.objects.get().metric == "gr_e_x"
        assert Series.objects.get().labels == {"a_b": "c"}
        assert len(body(Program("read", "reader").get("/api/v1/series", metric="größe.x"))["series"]) == 1

    def test_labels_without_a_value_are_not_counted(self) -> None:
        token = f"Bearer {make.token('job', 'push')}"
        labels = {f"l{n}": "" for n in range(30)} | {"a": "b"}
        sample = {"metric": "a", "value": 1, "labels": labels}
        assert push("/api/v1/samples", token, json.dumps({"samples": [sample]}).encode()).status_code == 202
        assert push("/api/v1/write", token, packed({"__name__": "a", **labels})).status_code == 204
        exposition = "a{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "} 1\n"
        assert push("/metrics/job/a", token, exposition.encode()).status_code == 200
        assert [one.labels for one in Series.objects.order_by("id")] == [{"a": "b"}, {"a": "b", "job": "a"}]


@pytest.mark.django_db(transaction=True)
def test_the_client_of_influxdb_2_finds_it_well(live_server: LiveServer) -> None:
    with InfluxDBClient(live_server.url, "wf_any", org="ops") as client:
        with pytest.warns(DeprecationWarning, match="deprecated"):  # it is what older programs ask
            assert client.health().status == "pass"
        assert client.ready().status == "ready"


@pytest.mark.django_db
class TestQueries:
    """Queries that clients of InfluxDB 1 send before they write."""

    def ask(self, **fields: str) -> Any:
        program = Program("push")
        return program.http.post("/query", fields, headers={"Authorization": basic(program.token)})

    def test_a_database_is_made_and_shown(self) -> None:
        response = self.ask(q='CREATE DATABASE "telegraf"; show databases')
        assert response.status_code == 200
        made, shown = body(response)["results"]
        assert made == {"statement_id": 0}
        assert shown["series"] == [{"name": "databases", "columns": ["name"], "values": [["watchfloor"]]}]

    @pytest.mark.parametrize("statement", ["", ";", "SELECT * FROM cpu", "DROP DATABASE telegraf", "SHOW DATABASES x"])
    def test_nothing_else_is_answered(self, statement: str) -> None:
        response = self.ask(q=statement)
        assert (response.status_code, body(response)["code"]) == (400, "invalid")

    def test_a_token_is_needed(self) -> None:
        assert Program(None).http.post("/query", {"q": "SHOW DATABASES"}).status_code == 401
