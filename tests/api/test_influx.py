"""InfluxDB's paths, with the client of version 2, and as Telegraf and the clients of version 1 send."""

import gzip
import time
from typing import Any

import httpx
import pytest
from django.db import OperationalError
from django.test import Client
from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from metrics.models import Sample, Series
from tests import make
from tests.api.client import body

pytestmark = pytest.mark.usefixtures("redis")

V1, V2 = "/write", "/api/v2/write"
NOW_S = int(time.time()) - 60


def stored() -> dict[str, tuple[dict[str, str], float, int]]:
    """Stored samples: metric -> labels, value, time in milliseconds."""
    return {one.series.metric: (one.series.labels, one.value, one.at_ms) for one in Sample.objects.all()}


@pytest.mark.django_db(transaction=True)
class TestClients:
    @pytest.fixture
    def token(self) -> str:
        return make.token("job", "push")

    @pytest.mark.parametrize("packed", [False, True])
    def test_the_client_of_version_2(self, live_server: LiveServer, token: str, packed: bool) -> None:
        with InfluxDBClient(live_server.url, token, org="ops", enable_gzip=packed) as client:
            assert client.ping()
            point = Point("cpu").tag("host", "db 1").field("usage", 12.5).field("state", "ok").time(NOW_S * 10**9)
            with client.write_api(write_options=SYNCHRONOUS) as writing:
                writing.write("any", record=[point, Point("orders").field("value", 3)])
        assert stored()["cpu_usage"] == ({"host": "db 1"}, 12.5, NOW_S * 1000)
        assert stored()["orders"][:2] == ({}, 3.0)

    def test_it_understands_what_it_is_told(self, live_server: LiveServer, token: str) -> None:
        with (
            InfluxDBClient(live_server.url, token, org="ops") as client,
            client.write_api(write_options=SYNCHRONOUS) as writing,
            pytest.raises(ApiException) as refused,
        ):
            writing.write("any", record="a v=1\nb v=")
        assert refused.value.status == 400
        words = "partial write: line 2: unable to parse 'b v=': Failed to parse value of field dropped=1"
        assert refused.value.message == words
        assert set(stored()) == {"a_v"}

    def test_telegraf(self, live_server: LiveServer, token: str) -> None:
        """Its output `influxdb`, with username and password; it packs bodies unless it is told not to."""
        lines = (
            f"cpu,cpu=cpu0,host=db1 usage_user=1.5,usage_idle=98.5 {NOW_S}000000000\n"
            'system,host=db1 n_cpus=2i,uptime_format=" 1:02"\n'
        )
        response = httpx.post(
            f"{live_server.url}/write",
            params={"db": "telegraf", "consistency": "any"},
            auth=("telegraf", token),
            headers={"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip", "User-Agent": "Telegraf"},
            content=gzip.compress(lines.encode()),
        )
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["X-Influxdb-Version"]
        assert set(stored()) == {"cpu_usage_user", "cpu_usage_idle", "system_n_cpus"}
        assert stored()["cpu_usage_user"] == ({"cpu": "cpu0", "host": "db1"}, 1.5, NOW_S * 1000)


@pytest.mark.django_db
class TestByHand:
    @pytest.fixture
    def token(self) -> str:
        return make.token("job", "push")

    def post(self, path: str, lines: bytes | str, authorization: str = "", **headers: str) -> Any:
        headers |= {"Authorization": authorization} if authorization else {}
        return Client().post(path, lines, content_type="text/plain", headers=headers)

    @pytest.mark.parametrize("path", [V1, V2])
    def test_the_answer_is_empty(self, token: str, path: str) -> None:
        response = self.post(f"{path}?precision=s", f"cpu usage=1 {NOW_S}", f"Token {token}")
        assert (response.status_code, response.content) == (204, b"")
        assert stored() == {"cpu_usage": ({}, 1.0, NOW_S * 1000)}

    def test_the_token_may_be_in_the_query_as_a_password_of_version_1(self, token: str) -> None:
        assert self.post(f"{V1}?db=a&u=me&p={token}", "a v=1").status_code == 204

    def test_what_is_not_a_path_of_ours_does_not_look_at_the_query(self, token: str) -> None:
        assert self.post(f"/metrics/job/a?p={token}", "a 1\n").status_code == 401

    @pytest.mark.parametrize("path", [V1, V2])
    def test_nothing_is_fine_too(self, token: str, path: str) -> None:
        assert self.post(path, "", f"Bearer {token}").status_code == 204

    def test_values_may_expire(self, token: str) -> None:
        assert self.post(f"{V2}?expires_after=60", "a v=1", f"Token {token}").status_code == 204
        assert Series.objects.get().expires_after_s == 60

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_somebody_is_there(self, client: Client, method: str) -> None:
        response = getattr(client, method)("/ping")
        assert response.status_code == 204
        assert response["X-Influxdb-Version"]

    @pytest.mark.parametrize("path", [V1, V2])
    @pytest.mark.parametrize(
        ("lines", "words", "line"),
        [
            ("b v=\na v=1", "line 1: unable to parse 'b v=': Failed to parse value of field", 1),
            (f"a v=1\n\nb v=1,c=1 {2**62}", "line 3: at is more than 10 minutes in the future", 3),
            ("a v=1\nb v=1 -1", "line 2: at is not a time after 1970", 2),
            ("b,t=" + "x" * 201 + " v=1\na v=1", "line 1: label t is longer than 200 characters", 1),
            ("b v=1e200\na v=1", "line 1: value is not a number between -1e+150 and 1e+150", 1),
        ],
    )
    def test_a_bad_line_is_named_and_the_others_are_stored(
        self, token: str, path: str, lines: str, words: str, line: int
    ) -> None:
        response = self.post(path, lines, f"Token {token}")
        assert response.status_code == 400
        said = f"partial write: {words} dropped=1"
        assert body(response) == {"code": "invalid", "message": said, "error": said, "line": line}
        assert set(stored()) == {"a_v"}

    def test_when_no_line_is_good_nothing_was_written_partially(self, token: str) -> None:
        response = self.post(V1, "b v=\nc v=", f"Token {token}")
        assert body(response)["error"] == "line 1: unable to parse 'b v=': Failed to parse value of field"

    def test_with_a_key_it_is_all_or_none(self, token: str) -> None:
        for _ in range(2):
            response = self.post(V2, "a v=1\nb v=", f"Token {token}", **{"Idempotency-Key": "k"})
            assert response.status_code == 400
            assert body(response)["message"].startswith("Nothing was stored: unable to parse 'b v='")
        assert stored() == {}
        good = [self.post(V2, "a v=1", f"Token {token}", **{"Idempotency-Key": "k"}).status_code for _ in range(2)]
        assert (good, len(Sample.objects.all())) == ([204, 204], 1)

    @pytest.mark.usefixtures("one_minute")
    @pytest.mark.parametrize(
        ("path", "scope", "lines", "headers", "status", "code"),
        [
            (V1, None, "a v=1", {}, 401, "unauthorized"),
            (V2, None, "a v=1", {}, 401, "unauthorized"),
            (V2, "read", "a v=1", {}, 403, "forbidden"),
            (V2, "push", "x" * 2001, {}, 413, "request too large"),
            (V2, "push", "a v=1", {"Content-Encoding": "gzip"}, 400, "invalid"),
            (V2, "push", "a v=1", {"Content-Encoding": "br"}, 400, "invalid"),
            (V2, "push", "a v=1", {"X-Expires-After": "soon"}, 400, "invalid"),
            (f"{V2}?precision=d", "push", "a v=1", {}, 400, "invalid"),
            (V2, "push", "a v=1\na v=2\na v=3\na v=4", {}, 413, "request too large"),
        ],
    )
    def test_refusals_have_the_form_of_influxdb(
        self,
        settings: Settings,
        path: str,
        scope: str | None,
        lines: str,
        headers: dict[str, str],
        status: int,
        code: str,
    ) -> None:
        settings.PUSH_BODY_LIMIT_BYTES, settings.PUSH_SAMPLES_PER_MINUTE = 2000, 3
        authorization = f"Token {make.token('a', scope)}" if scope else ""
        response = self.post(path, lines, authorization, **headers)
        assert (response.status_code, body(response)["code"]) == (status, code)
        assert body(response)["message"] == body(response)["error"]
        assert stored() == {}

    @pytest.mark.usefixtures("one_minute")
    def test_too_much_is_told_when_to_come_back(self, settings: Settings, token: str) -> None:
        settings.PUSH_SAMPLES_PER_MINUTE = 1
        answers = [self.post(V2, "a v=1", f"Token {token}") for _ in range(3)]
        refused = [one for one in answers if one.status_code == 429]
        assert refused
        assert all(1 <= int(one["Retry-After"]) <= 60 for one in refused)

    @pytest.mark.parametrize("path", [V1, V2])
    def test_another_method_is_405(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 405

    def test_without_a_database_it_is_503_and_says_when_to_come_again(
        self, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unreachable(*_: Any) -> None:
            raise OperationalError("away")

        monkeypatch.setattr("metrics.actions.samples.write", unreachable)
        response = self.post(V2, "a v=1", f"Token {token}")
        assert (response.status_code, body(response)["code"]) == (503, "unavailable")
        assert int(response["Retry-After"]) > 0
