"""healthz, readyz and metrics: what monitoring asks."""

import re
import time
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis, RedisError

from metrics.actions.writable import Writable
from metrics.health import standstill
from metrics.health import store as health
from metrics.health.ages import Ages
from tests import make
from tests.trouble import read_only

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def _never_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that just began, whatever others recorded in tests before."""
    monkeypatch.setattr(standstill, "_ages", Ages())
    monkeypatch.setattr("metrics.views.health._writable", Writable())


@pytest.fixture
def running(redis: Redis) -> None:
    """Everything recorded that it runs."""
    for name in health.SIGNS:
        health.record(name, time.time(), running_s=100)


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> None:
    def unreachable(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(health, "signs", unreachable)
    monkeypatch.setattr(health, "readings", unreachable)
    monkeypatch.setattr("metrics.health.own_metrics.readings", unreachable)


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_healthz_asks_nothing_but_the_process(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


class TestReady:
    @pytest.mark.usefixtures("running")
    def test_everything_is_there(self, client: Client) -> None:
        assert ready(client) == (
            200,
            {"ready": True, **dict.fromkeys(("database", "redis", "beat", "render", "collect", "arrivals"), "ok")},
        )

    @pytest.mark.usefixtures("running")
    def test_it_says_when_everything_is_late_and_is_ready_all_the_same(self, client: Client) -> None:
        now = time.time()
        stopped = health.Arriving("collected", 10, 9, now - 60, now - 60)
        health.record_arriving([stopped, health.Arriving("pushed", 5, 1, now, None)])
        status, parts = ready(client)
        assert (status, parts["ready"]) == (200, True)
        assert parts["arrivals"].startswith("nothing is collected: 9 of 10 series are late, the newest sample is 6")

    def test_nothing_ran_yet(self, client: Client) -> None:
        status, parts = ready(client)
        assert status == 503
        assert [parts[name] for name in ("beat", "render", "collect")] == ["not seen yet"] * 3

    @pytest.mark.usefixtures("running")
    @pytest.mark.parametrize(
        ("sign", "part", "said"),
        [
            ("beat", "beat", r"not seen for 6\d s"),
            ("render", "render", r"not seen for 6\d s"),
            ("collect", "collect", r"not seen for 6\d s"),
            ("sweep", "render", r"has no thread to spare for 6\d s"),
            ("collecting", "collect", r"has no thread to spare for 6\d s"),
        ],
    )
    def test_what_was_not_seen_lately_is_named(self, client: Client, sign: str, part: str, said: str) -> None:
        health.record(sign, time.time() - 60, running_s=100)
        status, parts = ready(client)
        assert (status, parts["ready"]) == (503, False)
        assert re.fullmatch(said, parts[part])  # on a busy machine it takes a moment to ask
        assert [name for name, state in parts.items() if state not in ("ok", False)] == [part]

    @pytest.mark.usefixtures("running")
    @pytest.mark.parametrize("ahead_s", [30, 3600])
    def test_a_sign_of_the_future_is_none_of_life(self, client: Client, ahead_s: float) -> None:
        health.record("beat", time.time() + ahead_s, running_s=100)
        status, parts = ready(client)
        assert (status, parts["beat"]) == (503, "not seen, its clock is ahead")

    @pytest.mark.usefixtures("running", "without_redis")
    def test_redis_is_named(self, client: Client) -> None:
        status, parts = ready(client)
        assert (status, parts["redis"], parts["database"]) == (503, "does not answer", "ok")

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("running")
    def test_a_database_that_takes_no_writes_is_named(self, client: Client) -> None:
        with read_only():
            status, parts = ready(client)
        assert (status, parts["database"], parts["redis"]) == (503, "The database is read-only just now", "ok")

    @pytest.mark.usefixtures("running")
    def test_whoever_asks_by_whatever_name_is_answered_without_a_session(
        self, client: Client, django_assert_num_queries: Any
    ) -> None:
        client.force_login(make.user())
        assert client.get("/readyz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
        with django_assert_num_queries(0):  # nor is the database asked again within the same second
            assert client.get("/readyz", headers={"Host": "nobody.example"}).status_code == 200
            assert client.get("/healthz", headers={"Host": "not a host"}).status_code == 200


class TestMetrics:
    def get(self, client: Client, token: str = "", **extra: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.get("/metrics", headers=headers, **extra)

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
    def test_this_machine_may_read_them(self, client: Client, address: str) -> None:
        response = self.get(client, REMOTE_ADDR=address)
        assert response.status_code == 200
        assert list(text_string_to_metric_families(response.content.decode()))

    @pytest.mark.parametrize(
        "extra",
        [
            {"REMOTE_ADDR": "192.0.2.7"},
            {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"REMOTE_ADDR": ""},
        ],
    )
    def test_others_need_a_token_that_may_read(self, client: Client, extra: dict[str, str]) -> None:
        answers = {
            scope: self.get(client, make.token(scope, scope), **extra).status_code
            for scope in ("push", "read", "edit", "admin")
        }
        assert answers == {"push": 403, "read": 200, "edit": 200, "admin": 200}
        assert self.get(client, **extra).status_code == 401
        assert self.get(client, "wf_wrong", **extra).status_code == 401

    def test_a_refusal_says_how_to_authenticate(self, client: Client) -> None:
        assert self.get(client, REMOTE_ADDR="192.0.2.7")["WWW-Authenticate"] == "Bearer"

    @pytest.mark.usefixtures("without_redis")
    def test_without_redis_it_is_503(self, client: Client) -> None:
        assert self.get(client).status_code == 503
