"""Certificates of real TLS ports: trusted, expired, for somebody else, and ports that do not speak TLS."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from metrics.sample import check
from metrics.sources.base import Noted
from metrics.sources.network_policy import Forbidden, limited
from metrics.sources.tls_certificate import TlsCertificate, TlsCertificateConfig
from tests.sources.certificates import Certificate, make
from tests.sources.names import lead

AUTHORITY = make(["Test Authority"], days=1000, authority=True)
MIDDLE = make(["Test Middle"], days=1000, signer=AUTHORITY, authority=True)
Trust = Callable[[Path], None]


@contextmanager
def port(certificate: Certificate, folder: Path) -> Iterator[int]:
    """Serve TLS until the end of the block, to one after the other; yield the port."""
    context = certificate.server(folder)

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:  # the test is over
                return
            try:
                with context.wrap_socket(client, server_side=True) as secured:
                    secured.recv(1)
            except OSError:  # who does not trust us leaves
                client.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def trusted(trust: Trust, tmp_path: Path) -> None:
    trust(AUTHORITY.write(tmp_path / "authority.pem"))


def collect(port: int, **fields: Any) -> tuple[dict[str, float], str]:
    """Run one check; return its values by metric and its note, having checked that they would be accepted."""
    config = TlsCertificateConfig(**{"host": "127.0.0.1", "port": port, "timeout_s": 5, **fields})
    found = TlsCertificate().collect(config)
    check(found, time.time())
    assert isinstance(found, Noted)
    assert {one.labels["check"] for one in found} == {config.name or f"{config.host}:{port}"}
    return {one.metric: one.value for one in found}, found.note


@pytest.mark.usefixtures("trusted")
class TestTrusted:
    def test_a_good_one_is_good(self, tmp_path: Path) -> None:
        with port(make(["127.0.0.1"], days=30, signer=AUTHORITY), tmp_path) as number:
            found, note = collect(number)
        assert found.pop("tls_certificate_days") == pytest.approx(30, abs=0.1)
        assert (found, note) == ({"tls_up": 1, "tls_chain_valid": 1, "tls_name_valid": 1}, "")

    def test_a_chain_is_followed(self, tmp_path: Path) -> None:
        with port(make(["127.0.0.1"], signer=MIDDLE), tmp_path) as number:
            assert collect(number)[0]["tls_chain_valid"] == 1

    def test_a_chain_with_a_piece_missing_is_not_valid(self, tmp_path: Path) -> None:
        leaf = make(["127.0.0.1"], signer=MIDDLE)
        with port(Certificate(leaf.certificate, leaf.key), tmp_path) as number:
            found, note = collect(number)
        assert (found["tls_chain_valid"], found["tls_name_valid"]) == (0, 1)
        assert note == (
            f"The certificate of 127.0.0.1 port {number} can't be trusted (unable to get local issuer certificate)."
        )

    def test_one_that_ended_has_days_below_zero_and_is_not_valid(self, tmp_path: Path) -> None:
        with port(make(["127.0.0.1"], days=-2, signer=AUTHORITY), tmp_path) as number:
            found, note = collect(number)
        assert found["tls_certificate_days"] == pytest.approx(-2, abs=0.1)
        assert found["tls_chain_valid"] == 0
        assert "(certificate has expired)" in note

    def test_the_days_are_those_of_who_signed_it_if_they_end_before(self, tmp_path: Path) -> None:
        middle = make(["Test Middle"], days=5, signer=AUTHORITY, authority=True)
        with port(make(["127.0.0.1"], days=30, signer=middle), tmp_path) as number:
            found, note = collect(number)
        assert found["tls_certificate_days"] == pytest.approx(5, abs=0.1)
        assert (found["tls_chain_valid"], note) == (1, "")

    def test_one_for_somebody_else_has_the_wrong_name_and_a_valid_chain(self, tmp_path: Path) -> None:
        with port(make(["shop.example"], signer=AUTHORITY), tmp_path) as number:
            found, note = collect(number)
        assert (found["tls_chain_valid"], found["tls_name_valid"]) == (1, 0)
        assert note == f"The certificate of 127.0.0.1 port {number} is not for 127.0.0.1."

    def test_the_name_to_ask_for_may_be_another_than_the_host(self, tmp_path: Path) -> None:
        with port(make(["shop.example"], signer=AUTHORITY), tmp_path) as number:
            assert collect(number, server_name="shop.example")[0]["tls_name_valid"] == 1

    def test_a_host_is_found_by_its_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lead(monkeypatch, shop=["127.0.0.1"])
        with port(make(["shop.test"], signer=AUTHORITY), tmp_path) as number:
            assert collect(number, host="shop.test", name="Shop")[1] == ""


def test_one_that_nobody_signed_is_not_valid_and_has_its_days(tmp_path: Path) -> None:
    with port(make(["shop.example"], days=9), tmp_path) as number:
        found, note = collect(number)
    assert found["tls_certificate_days"] == pytest.approx(9, abs=0.1)
    assert (found["tls_up"], found["tls_chain_valid"], found["tls_name_valid"]) == (1, 0, 0)
    assert note.startswith(f"The certificate of 127.0.0.1 port {number} can't be trusted (self")
    assert note.endswith(") and is not for 127.0.0.1.")


def test_nobody_there_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    assert collect(number) == ({"tls_up": 0}, f"127.0.0.1 port {number} does not open (Connection refused).")


def test_who_does_not_speak_tls_is_down() -> None:
    def serve() -> None:
        client, _ = listening.accept()
        with client:
            client.sendall(b"220 mail.example ESMTP\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        found, note = collect(listening.getsockname()[1])
    assert found == {"tls_up": 0}
    assert "does not speak TLS as we do (WRONG_VERSION_NUMBER)." in note


def test_who_says_nothing_is_down_in_the_time_that_was_allowed() -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found, note = collect(silent.getsockname()[1], timeout_s=0.3)
    assert found == {"tls_up": 0}
    assert note.endswith("does not speak TLS (it took too long).")
    assert time.monotonic() - began < 3


def test_where_the_source_may_not_connect_to_is_an_error() -> None:
    with limited(), pytest.raises(Forbidden):
        collect(1)


def test_a_handshake_of_ours_offers_no_protocol(tmp_path: Path) -> None:
    """Mail servers refuse who offers HTTP."""
    offered: list[Any] = []
    context = make(["127.0.0.1"]).server(tmp_path)
    context.set_alpn_protocols(["imap"])

    def serve() -> None:
        for _ in range(2):
            client, _ = listening.accept()
            try:
                with context.wrap_socket(client, server_side=True) as secured:
                    offered.append(secured.selected_alpn_protocol())
            except ssl.SSLError:
                client.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert collect(listening.getsockname()[1])[0]["tls_up"] == 1
        thread.join(5)
    assert offered == [None]
