"""The fast path: what it takes itself, what it leaves to Django, and that nothing is lost in between."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async as in_database
from django.db import OperationalError
from pytest_django import Settings

from metrics.access.principal import SYSTEM
from metrics.actions import heartbeats, samples
from metrics.api.fast_path import BODY_MOST_BYTES, FastPath
from metrics.models import Ping, Sample, Series
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Communicator: Any = ApplicationCommunicator
ONE = b'{"samples": [{"metric": "orders_open", "value": 42}]}'


class Behind:
    """Stands for Django: keeps the bodies that come through."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Pusher:
    """The fast path with something behind it, and requests to it."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.behind = Behind()
        self.fast_path = FastPath(self.behind)

    async def push(
        self, body: bytes = ONE, chunks: int = 1, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        given = {"authorization": f"Bearer {self.token}"} | (headers or {})
        return await self.request("POST", "/api/v1/samples", body, chunks, given)

    async def request(
        self, method: str, path: str, body: bytes = b"", chunks: int = 1, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        client: Any = Communicator(self.fast_path, scope)
        size = len(body) // chunks + 1
        parts = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
        for i, part in enumerate(parts):
            await client.send_input({"type": "http.request", "body": part, "more_body": i < len(parts) - 1})
        start = await client.receive_output(60)
        answer = await client.receive_output(60)
        return start["status"], answer["body"]


@pytest.fixture
def pusher() -> Pusher:
    return Pusher(make.token("job", "push"))


@in_database
def stored() -> list[float]:
    return list(Sample.objects.order_by("at_ms", "series_id").values_list("value", flat=True))


async def test_a_plain_push_is_stored_before_it_is_answered(pusher: Pusher) -> None:
    assert await pusher.push() == (202, b'{"accepted": 1}')
    assert await stored() == [42]
    assert pusher.behind.bodies == []


async def test_the_series_belong_to_the_token_that_pushed_them(pusher: Pusher) -> None:
    await pusher.push()
    assert await in_database(Series.objects.filter(source__name="push: job").count)() == 1


async def test_many_at_once_are_all_stored_with_times_of_their_own(pusher: Pusher) -> None:
    answers = await asyncio.gather(
        *(pusher.push(json.dumps({"samples": [{"metric": "m", "value": i}]}).encode()) for i in range(300))
    )
    assert {status for status, _ in answers} == {202}
    assert sorted(await stored()) == list(range(300))


async def test_a_small_body_may_come_in_pieces(pusher: Pusher) -> None:
    assert (await pusher.push(chunks=5))[0] == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"samples": [{"metric": "", "value": 1}]}',
        b'{"samples": [{"metric": "a", "value": NaN}]}',
        b'{"samples": [{"metric": "a", "value": 1, "at": 9999999999}]}',
        b'{"samples": [' + b" " * BODY_MOST_BYTES + b"]}",
    ],
)
@pytest.mark.parametrize("chunks", [1, 3])
async def test_what_is_not_plain_goes_to_django_whole(pusher: Pusher, body: bytes, chunks: int) -> None:
    assert (await pusher.push(body, chunks))[0] == 299
    assert pusher.behind.bodies == [body]
    assert await stored() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wf_wrong"},
        {"authorization": ""},
        {"authorization": "Bearer \xff"},
        {"authorization": "Basic YTpi"},
        {"content-encoding": "gzip"},
        {"idempotency-key": "1"},
    ],
)
async def test_wishes_and_strangers_are_django_s(pusher: Pusher, headers: dict[str, str]) -> None:
    assert (await pusher.push(headers=headers))[0] == 299
    assert await stored() == []


async def test_a_token_that_may_only_read_is_django_s() -> None:
    token = await in_database(make.token)("reader", "read")
    assert (await Pusher(token).push())[0] == 299


async def test_a_revoked_token_is_refused_within_two_seconds(pusher: Pusher) -> None:
    await pusher.push()
    await in_database(make.revoke_token)("job")
    until = time.monotonic() + 2
    while (await pusher.push())[0] == 202:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


@pytest.mark.usefixtures("one_minute")
async def test_who_pushes_too_fast_is_django_s_and_others_are_not(pusher: Pusher, settings: Settings) -> None:
    settings.PUSH_SAMPLES_PER_MINUTE = 3
    other = Pusher(await in_database(make.token)("other", "push"))
    other.fast_path, other.behind = pusher.fast_path, pusher.behind
    for _ in range(3):
        await pusher.push()
    answers = await asyncio.gather(pusher.push(), other.push())
    assert [status for status, _ in answers] == [299, 202]


async def test_without_a_database_it_is_to_be_sent_again(pusher: Pusher, monkeypatch: pytest.MonkeyPatch) -> None:
    await pusher.push()

    def unreachable(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(samples, "accept", unreachable)
    status, answer = await pusher.push()
    assert status == 503
    assert json.loads(answer)["detail"].endswith(".")


@pytest.mark.usefixtures("one_minute")
async def test_one_that_fails_spoils_no_other_and_costs_no_rate(
    pusher: Pusher, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.PUSH_SAMPLES_PER_MINUTE = 4
    accept = samples.accept

    def picky(pushes: Any, now: float) -> None:
        if any(sample.metric == "poison" for push in pushes for sample in push.samples):
            raise ValueError
        accept(pushes, now)

    monkeypatch.setattr(samples, "accept", picky)
    bodies = [b'{"samples": [{"metric": "%s", "value": 1}]}' % name for name in (b"a", b"poison", b"b", b"c")]
    answers = await asyncio.gather(*map(pusher.push, bodies), return_exceptions=True)
    assert [answer[0] if isinstance(answer, tuple) else type(answer) for answer in answers] == [202, 299, 202, 202]
    assert len(await stored()) == 3
    assert [(await pusher.push())[0] for _ in range(2)] == [202, 299]


class TestPings:
    async def test_a_thousand_at_once_are_all_recorded(self, pusher: Pusher) -> None:
        jobs = [await in_database(heartbeats.create)(SYSTEM, f"job {i}", every_s=60) for i in range(20)]
        answers = await asyncio.gather(
            *(pusher.request("GET", f"/ping/{jobs[i % 20].key}/{i % 2}?rid={i}") for i in range(1000))
        )
        assert set(answers) == {(200, b"OK\n")}
        assert await in_database(Ping.objects.count)() == 1000
        assert pusher.behind.bodies == []

    @pytest.mark.parametrize("path", ["/ping/unknown", "/ping/", "/ping/a/b/c", "/ping/\x00", "/ping/\ud800/start"])
    async def test_what_is_unknown_is_django_s(self, pusher: Pusher, path: str) -> None:
        assert (await pusher.request("GET", path))[0] == 299


async def test_everything_else_is_django_s(pusher: Pusher) -> None:
    assert (await pusher.request("GET", "/api/v1/samples"))[0] == 299
    assert (await pusher.request("POST", "/", b"a=b"))[0] == 299


@pytest.mark.parametrize(("scheme", "said"), [("https", "max-age=60"), ("http", None)])
async def test_over_tls_its_own_answers_say_so_too(
    pusher: Pusher, settings: Settings, scheme: str, said: str | None
) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    beat = await in_database(heartbeats.create)(SYSTEM, "backup", every_s=60)
    scope = {"type": "http", "scheme": scheme, "method": "GET", "path": f"/ping/{beat.key}", "query_string": b""}
    client: Any = Communicator(pusher.fast_path, {**scope, "headers": []})
    await client.send_input({"type": "http.request", "body": b""})
    start = await client.receive_output(60)
    assert start["status"] == 200
    assert dict(start["headers"]).get(b"strict-transport-security", b"").decode() == (said or "")
