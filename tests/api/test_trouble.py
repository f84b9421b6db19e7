"""A database in trouble: whoever pushes is told to come again, since OTLP's clients drop what is answered with 500."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import cramjam
import pytest
from channels.db import database_sync_to_async
from django.db import DataError, Error, IntegrityError, InterfaceError, InternalError, OperationalError
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import heartbeats
from metrics.api.otlp import PROTOBUF
from metrics.database import BUSY, FULL, NO_ANSWER, READ_ONLY, unavailable
from metrics.ingest.prompb import WriteRequest
from metrics.models import Ping, Sample
from tests import make, trouble
from tests.api.test_fast_path import ONE, Pusher
from tests.api.test_otlp import as_json, one_gauge

Trouble = Callable[[], AbstractContextManager[None]]
WAYS = [(trouble.read_only, READ_ONLY)]
if not trouble.IS_POSTGRESQL:
    WAYS += [(trouble.full, FULL), (trouble.locked, BUSY)]


def _written() -> bytes:
    made = WriteRequest()
    one = made.timeseries.add()
    one.labels.add(name="__name__", value="orders_open")
    one.samples.add(value=1, timestamp=1_795_176_000_000)
    return bytes(cramjam.snappy.compress_raw(made.SerializeToString()))


PUSHES: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "json": ("/api/v1/samples", ONE, {"Content-Type": "application/json"}),
    "json, once": ("/api/v1/samples", ONE, {"Content-Type": "application/json", "Idempotency-Key": "a"}),
    "influx": ("/write", b"orders open=42", {}),
    "influx 2": ("/api/v2/write", b"orders open=42", {}),
    "otlp": ("/v1/metrics", as_json(one_gauge()), {"Content-Type": "application/json"}),
    "remote write": ("/api/v1/write", _written(), {"Content-Type": PROTOBUF, "Content-Encoding": "snappy"}),
    "pushgateway": ("/metrics/job/backup", b"orders_open 42\n", {}),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(("way", "said"), WAYS)
class TestPushes:
    def test_every_protocol_says_come_again(self, way: Trouble, said: str) -> None:
        token = make.token("job", "push")
        key = heartbeats.create(SYSTEM, "nightly", every_s=60).key
        http = Client(raise_request_exception=False)
        answers = {}
        with way():
            for name, (path, body, headers) in PUSHES.items():
                headers = {"Authorization": f"Bearer {token}", **headers}
                kind = headers.pop("Content-Type", "text/plain")
                answers[name] = http.post(path, body, content_type=kind, headers=headers)
            answers["ping"] = http.get(f"/ping/{key}")
        for name, answer in answers.items():
            assert (answer.status_code, answer["Retry-After"]) == (503, "5"), name
            assert f"{said}; nothing was stored. Try again." in answer.content.decode(), name
        assert not Sample.objects.exists()
        assert not Ping.objects.exists()

    async def test_so_does_the_fast_path_with_its_groups(self, way: Trouble, said: str) -> None:
        token = await database_sync_to_async(make.token)("job", "push")
        key = (await database_sync_to_async(heartbeats.create)(SYSTEM, "nightly", every_s=60)).key
        pusher = Pusher(token)
        hold = await database_sync_to_async(way)()
        await database_sync_to_async(hold.__enter__)()
        try:
            pushes = [pusher.push() for _ in range(3)]
            answers = await asyncio.gather(*pushes, pusher.request("GET", f"/ping/{key}"))
        finally:
            await database_sync_to_async(hold.__exit__)(None, None, None)
        assert [status for status, _ in answers] == [503] * 4
        assert {json.loads(body)["detail"] for _, body in answers} == {f"{said}; nothing was stored. Try again."}
        assert (await pusher.push())[0] == 202


def _caused(kind: type[Error], **attributes: Any) -> Error:
    error, driver = kind("said"), Exception("said")
    for name, value in attributes.items():
        setattr(driver, name, value)
    error.__cause__ = driver
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationalError("away"), NO_ANSWER),
        (InterfaceError("away"), NO_ANSWER),
        (InternalError("broken"), ""),
        (IntegrityError("twice"), ""),
        (ValueError("nothing of a database"), ""),
        (None, ""),
        (_caused(OperationalError, sqlstate=None), NO_ANSWER),
        (_caused(InternalError, sqlstate="25006"), READ_ONLY),
        (_caused(OperationalError, sqlstate="53100"), FULL),
        (_caused(OperationalError, sqlstate="53300"), BUSY),
        (_caused(OperationalError, sqlstate="57P01"), NO_ANSWER),
        (_caused(OperationalError, sqlstate="57014"), BUSY),
        (_caused(OperationalError, sqlstate="40P01"), BUSY),
        (_caused(OperationalError, sqlstate="08006"), NO_ANSWER),
        (_caused(InternalError, sqlstate="25P02"), ""),
        (_caused(DataError, sqlstate="22021"), ""),
        (_caused(OperationalError, sqlite_errorcode=5 | 2 << 8), BUSY),
        (_caused(OperationalError, sqlite_errorcode=13), FULL),
        (_caused(OperationalError, sqlite_errorcode=1), ""),  # such as a table that there is not
    ],
)
def test_what_passes_is_told_from_what_does_not(error: Exception | None, reason: str) -> None:
    assert unavailable(error) == reason
