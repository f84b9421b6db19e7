"""Webhooks: what they are sent, how it is signed, and what becomes of answers."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Line, Message
from metrics.notify.webhook import Webhook, WebhookConfig, key_of, wait_of
from metrics.sources import network_policy, tls
from tests.browser.person import SOON_S
from tests.make import AT
from tests.notify.receivers import hook
from tests.sources import certificates

SECRET = "correct horse battery"
MESSAGE = Message(
    subject="Disk full on web-1 <b>",
    state="firing",
    severity="critical",
    key="incident:3:firing:1",
    conversation="incident:3",
    at=AT,
    lines=(Line('Disk full{host="web-1"}', "97 %", AT - 60),),
    more=2,
    url="https://watch.example.com/incidents/3/",
    runbook="https://wiki.example.com/disk",
    who="ada",
)


def send(url: str, **config: Any) -> Receipt:
    made = WebhookConfig.model_validate({"url": url, "secret": SECRET, "timeout_s": 15, **config})
    return Webhook().send(made, MESSAGE, time.monotonic() + SOON_S)


def is_genuine(body: bytes, headers: dict[str, str], key: bytes, now: float) -> bool:
    """Check a message as the docs show it."""
    at = headers["webhook-timestamp"]
    content = f"{headers['webhook-id']}.{at}.".encode() + body
    ours = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return abs(now - int(at)) < 300 and hmac.compare_digest(f"v1,{ours}", headers["webhook-signature"])


def test_a_message_is_json_and_signed_with_the_time_and_an_id() -> None:
    with hook(204) as receiver:
        first, second = send(f"{receiver.url}/in"), send(f"{receiver.url}/in")
    (path, headers, body), (_, again, _) = receiver.got
    assert (path, headers["content-type"]) == ("/in", "application/json")
    assert json.loads(body) == {
        "version": 1,
        "key": "incident:3:firing:1",
        "conversation": "incident:3",
        "state": "firing",
        "severity": "critical",
        "subject": "Disk full on web-1 <b>",
        "at": "2026-11-20T12:00:00.000Z",
        "alerts": [{"text": 'Disk full{host="web-1"}', "value": "97 %", "since": "2026-11-20T11:59:00.000Z"}],
        "more": 2,
        "who": "ada",
        "url": "https://watch.example.com/incidents/3/",
        "runbook": "https://wiki.example.com/disk",
    }
    assert is_genuine(body, headers, SECRET.encode(), time.time())
    assert not is_genuine(body + b" ", headers, SECRET.encode(), time.time())
    assert not is_genuine(body, headers, b"another", time.time())
    assert not is_genuine(body, headers, SECRET.encode(), time.time() + 400)
    assert headers["webhook-id"] == again["webhook-id"] == first.id == second.id
    assert first.said == f"{receiver.url}/ answered 204 No Content."


@pytest.mark.parametrize(
    ("path", "permanent", "wait_s", "said"),
    [
        ("/400", True, None, "answered 400 Bad Request."),
        ("/404", True, None, "answered 404 Not Found."),
        ("/410", True, None, "answered 410 Gone."),
        ("/408", False, None, "answered 408 Request Timeout."),
        ("/429", False, 42, "answered 429 Too Many Requests."),
        ("/500", False, 42, "answered 500 Internal Server Error."),
        ("/503", False, 42, "answered 503 Service Unavailable."),
        ("/302", True, None, "answered 302 Found; redirects are not followed."),
        ("/hang", False, None, "did not answer within 1 s."),
        ("/drip", False, None, "did not answer within 1 s."),
    ],
)
def test_an_answer_says_whether_it_is_worth_another_try(
    path: str, permanent: bool, wait_s: float | None, said: str
) -> None:
    with hook(Retry_After="42", Location="/in") as receiver, pytest.raises(ChannelError) as problem:
        send(receiver.url + path, **({"timeout_s": 1} if said.startswith("did not") else {}))
    assert str(problem.value) == f"{receiver.url}/ {said}"  # without the path, which often holds a key
    assert problem.value.permanent is permanent
    if wait_s:
        assert problem.value.wait_s == wait_s
    assert [one[0] for one in receiver.got] == [path]


def test_nobody_there_is_worth_another_try() -> None:
    with hook() as receiver:
        pass
    with pytest.raises(ChannelError, match=r"can't be reached \(Connection refused\)\.$") as problem:
        send(receiver.url)
    assert not problem.value.permanent


def test_a_certificate_that_cannot_be_trusted_is_not_trusted(tmp_path: Path) -> None:
    made = certificates.make(["127.0.0.1"])
    with hook(tls=made.server(tmp_path)) as receiver, pytest.raises(ChannelError, match="can't be trusted"):
        send(receiver.url)
    assert receiver.got == []
    with hook(tls=made.server(tmp_path)) as receiver:
        send(receiver.url, verify=False)
    assert len(receiver.got) == 1
    tls.forget()


@pytest.mark.parametrize(
    ("guard", "arrives"), [(network_policy.limited, False), (nullcontext, True)], ids=["limited", "anywhere"]
)
def test_a_private_address_is_for_administrators_alone(guard: Callable[[], Any], arrives: bool) -> None:
    with hook() as receiver, guard():
        if arrives:
            send(receiver.url)
        else:
            with pytest.raises(ChannelError, match=r"The address of 127\.0\.0\.1 is loopback") as problem:
                send(receiver.url)
            assert problem.value.permanent
    assert len(receiver.got) == arrives


@pytest.mark.parametrize(
    ("secret", "key"),
    [(SECRET, SECRET.encode()), ("whsec_" + base64.b64encode(b"k" * 24).decode(), b"k" * 24)],
)
def test_a_secret_is_a_text_or_base64(secret: str, key: bytes) -> None:
    assert key_of(secret) == key


@pytest.mark.parametrize("secret", ["short", "whsec_c2hvcnQ=", "whsec_%%%"])
def test_a_secret_that_protects_nothing_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        WebhookConfig.model_validate({"url": "https://example.com", "secret": secret})


@pytest.mark.parametrize(
    ("header", "wait_s"), [("", None), ("7", 7), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
)
def test_retry_after_is_seconds_or_a_date(header: str, wait_s: float | None) -> None:
    assert wait_of(header) == wait_s
