"""HTTP checks against a real server: every failure is a result, within the time that was allowed."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from metrics.sample import check
from metrics.sources.http_check import HttpCheck, HttpCheckConfig

DAYS = 20


class Handler(BaseHTTPRequestHandler):
    """Answers by path; what waits ends when the test does."""

    protocol_version = "HTTP/1.1"
    over: threading.Event

    def do_GET(self) -> None:
        getattr(self, f"_{self.path.strip('/').split('?')[0].replace('/', '_')}")()

    do_HEAD = do_GET

    def _ok(self) -> None:
        self._answer(200, b"fine")

    def _broken(self) -> None:
        self._answer(500)

    def _gone(self) -> None:
        self._answer(410)

    def _empty(self) -> None:
        self._answer(204)

    def _moved(self) -> None:
        self._answer(302, location="/ok")

    def _loop(self) -> None:
        self._answer(302, location="/loop")

    def _away(self) -> None:
        self._answer(302, location="http://127.0.0.1:1/")

    def _strange(self) -> None:
        self._answer(302, location="gopher://x/")

    def _agent(self) -> None:
        self._answer(200 if self.headers["User-Agent"] == "Watchfloor" else 400)

    def _method(self) -> None:
        self._answer(200 if self.command == "HEAD" else 405)

    def _slow(self) -> None:
        self.over.wait(20)
        self.close_connection = True

    def _garbage(self) -> None:
        self.wfile.write(b"\x00\xff not HTTP \r\n\r\n")
        self.close_connection = True

    def _short(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.")
        self.close_connection = True

    def _unzippable(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")

    def _trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._drip(b"1\r\nx\r\n")

    def _trickling_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._drip(b"X-More: yes\r\n")

    def _drip(self, drop: bytes) -> None:
        self.close_connection = True
        until = time.monotonic() + 4
        try:
            while time.monotonic() < until and not self.over.wait(0.05):
                self.wfile.write(drop)
        except OSError:
            pass

    def _answer(self, status: int, body: bytes = b"", location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what half of these tests are about."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    over = threading.Event()
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"over": over}))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as base:
        yield base


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, that ends in `DAYS` days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "self-made.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def https_url(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as base:
        yield base


def run(url: str, **fields: Any) -> dict[str, float]:
    """Run one check; return its values by metric, having checked that they would be accepted."""
    samples = HttpCheck().collect(HttpCheckConfig(url=url, **{"timeout_s": 5, **fields}))
    check(samples, time.time())
    assert len({tuple(one.labels.items()) for one in samples}) == 1
    return {one.metric: one.value for one in samples}


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/ok", {}, 200),
        ("/empty", {}, 204),
        ("/broken", {}, 500),
        ("/gone", {}, 410),
        ("/moved", {}, 200),
        ("/moved", {"follow_redirects": False}, 302),
        ("/loop", {}, 0),
        ("/away", {}, 0),
        ("/strange", {}, 0),
        ("/agent", {}, 200),
        ("/method", {}, 405),
        ("/method", {"method": "HEAD"}, 200),
        ("/garbage", {}, 0),
        ("/short", {}, 0),
        ("/unzippable", {}, 200),
    ],
)
def test_an_answer_is_a_result(url: str, path: str, fields: dict[str, Any], status: int) -> None:
    found = run(url + path, **fields)
    assert found["http_status"] == status
    assert found["http_up"] == (200 <= status < 400)
    assert 0 < found["http_latency_seconds"] < 5
    assert "http_certificate_days" not in found


@pytest.mark.parametrize("path", ["/slow", "/trickle", "/trickling_headers"])
def test_what_takes_too_long_is_down_in_the_time_that_was_allowed(url: str, path: str) -> None:
    began = time.monotonic()
    found = run(url + path, timeout_s=0.4)
    assert (found["http_up"], found["http_status"]) == (0, 0)
    assert time.monotonic() - began < 1.5


def test_nobody_there_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(f"http://127.0.0.1:{port}/")["http_up"] == 0


def test_a_name_that_does_not_exist_is_down() -> None:
    assert run("http://nobody.invalid/")["http_up"] == 0


def test_somebody_who_accepts_and_says_nothing_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert run(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.3)["http_up"] == 0


class TestCertificates:
    def test_one_that_can_not_be_trusted_is_down(self, https_url: str) -> None:
        assert run(f"{https_url}/ok") == {
            "http_up": 0,
            "http_status": 0,
            "http_latency_seconds": pytest.approx(0, abs=5),
        }

    def test_one_that_need_not_be_trusted_is_up(self, https_url: str) -> None:
        found = run(f"{https_url}/ok", verify=False)
        assert (found["http_up"], found["http_status"]) == (1, 200)

    def test_the_days_left_are_told_though_it_need_not_be_trusted(self, https_url: str) -> None:
        """Who turns the checking off, for a certificate of their own, still wants to know when it ends."""
        assert run(f"{https_url}/ok", verify=False)["http_certificate_days"] == pytest.approx(DAYS, abs=0.1)

    def test_a_trusted_one_tells_the_days_left(
        self, https_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create = ssl.create_default_context
        monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: create(cafile=str(certificate)))
        found = run(f"{https_url}/ok")
        assert found["http_up"] == 1
        assert found["http_certificate_days"] == pytest.approx(DAYS, abs=0.1)

    def test_http_spoken_to_a_tls_port_is_down(self, https_url: str) -> None:
        assert run(https_url.replace("https", "http") + "/ok", timeout_s=1)["http_up"] == 0

    def test_tls_spoken_to_an_http_port_is_down(self, url: str) -> None:
        assert run(url.replace("http", "https") + "/ok", timeout_s=1)["http_up"] == 0


class TestConfig:
    @pytest.mark.parametrize(
        ("name", "url", "label"),
        [
            ("Shop", "http://x.example/a", "Shop"),
            ("", "http://x.example/a?token=secret#top", "http://x.example/a"),
            ("", "http://x.example", "http://x.example"),
        ],
    )
    def test_the_check_is_called_by_its_name_or_its_address(self, name: str, url: str, label: str) -> None:
        assert HttpCheckConfig(url=url, name=name).label == label

    def test_a_password_in_the_address_is_not_shown(self) -> None:
        assert "hush" not in HttpCheckConfig(url="http://me:hush@x.example/a").label

    def test_a_long_address_makes_a_label_that_is_accepted(self) -> None:
        found = HttpCheckConfig(url="http://127.0.0.1:1/" + "x" * 400, timeout_s=1)
        check(HttpCheck().collect(found), time.time())

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"url": ""},
            {"url": "x.example"},
            {"url": "ftp://x.example/"},
            {"url": "file:///etc/passwd"},
            {"url": "http://"},
            {"url": "http://x.example:port/"},
            {"url": "http://x.example/\x00"},
            {"url": "http://x/", "timeout_s": 0},
            {"url": "http://x/", "timeout_s": 26},
            {"url": "http://x/", "method": "POST"},
            {"url": "http://x/", "verfiy": False},
        ],
    )
    def test_a_bad_one_is_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            HttpCheckConfig(**fields)
