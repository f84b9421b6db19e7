"""Web Push: what a push service is sent, that the browser alone can read it, and what its answers come to."""

import json
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
import py_vapid
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from metrics.notify import web_push
from metrics.notify.web_push import Browser, Message, Outcome, decoded, encoded, new_key, send
from metrics.sources import network_policy

AUTH = bytes(range(16))
CONTACT = "mailto:admin@watch"
MESSAGE = Message("Mention: ada", "Look at this, <b>Bob</b>: ü", "/d/shop/?range=1h", "7-3")


class Service(ThreadingHTTPServer):
    """A push service that answers each path with the status that it names, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Service)
        self.server.sent.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as an address that may be connected to."""
    monkeypatch.setattr(network_policy, "limited", nullcontext)


def browser_of(key: ec.EllipticCurvePrivateKey, endpoint: str) -> Browser:
    return Browser(endpoint, encoded(web_push._point(key.public_key())), encoded(AUTH))


@pytest.mark.usefixtures("anywhere")
def test_the_browser_alone_reads_it_and_knows_who_sent_it(service: Service) -> None:
    ours, theirs = new_key(), ec.generate_private_key(ec.SECP256R1())
    assert send([(browser_of(theirs, f"{service.root}/push/201"), MESSAGE)], ours, CONTACT) == [Outcome.SENT]
    ((path, headers, body),) = service.sent
    assert path == "/push/201"
    assert (headers["content-encoding"], headers["ttl"]) == ("aes128gcm", "86400")
    assert py_vapid.Vapid02.verify(headers["authorization"])
    parts = dict(part.split("=", 1) for part in headers["authorization"].removeprefix("vapid ").split(","))
    assert parts["k"] == ours.public
    claims = json.loads(decoded(parts["t"].split(".")[1]))
    assert (claims["aud"], claims["sub"]) == (service.root, CONTACT)
    assert b"Bob" not in body
    plain = http_ece.decrypt(body, private_key=theirs, auth_secret=AUTH, version="aes128gcm")
    assert json.loads(plain) == {
        "title": "Mention: ada",
        "text": "Look at this, <b>Bob</b>: ü",
        "path": "/d/shop/?range=1h",
        "tag": "7-3",
    }


@pytest.mark.usefixtures("anywhere")
def test_what_its_answer_comes_to(service: Service) -> None:
    key, theirs = new_key(), ec.generate_private_key(ec.SECP256R1())
    expected = {
        **dict.fromkeys(("200", "201", "202"), Outcome.SENT),
        **dict.fromkeys(("404", "410"), Outcome.GONE),
        **dict.fromkeys(("429", "500", "503"), Outcome.LATER),
        **dict.fromkeys(("301", "400", "401", "403", "413"), Outcome.REFUSED),
    }
    endpoints = [f"{service.root}/{status}" for status in expected] + ["http://127.0.0.1:1/"]
    jobs = [(browser_of(theirs, endpoint), MESSAGE) for endpoint in endpoints]
    assert send(jobs, key, CONTACT) == [*expected.values(), Outcome.LATER]


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "[::1]"])
def test_a_browser_can_not_have_us_ask_our_own_network(host: str) -> None:
    theirs = browser_of(ec.generate_private_key(ec.SECP256R1()), f"https://{host}/push")
    assert send([(theirs, MESSAGE)], new_key(), CONTACT) == [Outcome.REFUSED]


def test_the_longest_text_fits_into_a_message() -> None:
    theirs = browser_of(ec.generate_private_key(ec.SECP256R1()), "https://push.example/")
    longest = Message("W" * 100, "\N{GRINNING FACE}" * 1000, "/" + "w" * 299, "1" * 40)
    assert len(web_push.encrypt(longest.json(), theirs)) <= 4096
    assert json.loads(longest.json())["text"].endswith("…")


GOOD = (
    "https://push.example/a",
    encoded(web_push._point(ec.derive_private_key(7, ec.SECP256R1()).public_key())),
    "A" * 22,
)


@pytest.mark.parametrize(
    ("endpoint", "p256dh", "auth", "field"),
    [
        ("", *GOOD[1:], "endpoint"),
        ("ftp://push.example/a", *GOOD[1:], "endpoint"),
        ("https:///a", *GOOD[1:], "endpoint"),
        ("https://push.example/\x00", *GOOD[1:], "endpoint"),
        ("https://[::1/a", *GOOD[1:], "endpoint"),
        ("https://push.example:99999/a", *GOOD[1:], "endpoint"),
        ("https://x:y@push.example/a", *GOOD[1:], "endpoint"),
        ("https://push.example/" + "a" * 1000, *GOOD[1:], "endpoint"),
        (GOOD[0], "", GOOD[2], "p256dh"),
        (GOOD[0], "A" * 87, GOOD[2], "p256dh"),
        (GOOD[0], "ü", GOOD[2], "p256dh"),
        (*GOOD[:2], "", "auth"),
        (*GOOD[:2], "A" * 21, "auth"),
        (*GOOD[:2], "ü", "auth"),
    ],
)
def test_what_no_browser_sends_is_refused(endpoint: str, p256dh: str, auth: str, field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field}: .+\.$"):
        Browser(endpoint, p256dh, auth)
    Browser(*GOOD)
