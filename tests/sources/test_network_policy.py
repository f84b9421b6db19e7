"""Where sources may connect to: names that lead elsewhere, redirects, and answers that change."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from metrics.sources import network_policy
from metrics.sources.network_policy import Forbidden, Unreachable, limited
from tests.sources.names import lead

PUBLIC = "192.88.98.1"


class Handler(BaseHTTPRequestHandler):
    """Says which host it was asked as; redirects to what the path names."""

    def do_GET(self) -> None:
        target = self.path.removeprefix("/to/")
        self.send_response(302 if target != self.path else 200)
        if target != self.path:
            self.send_header("Location", f"http://{target}")
        self.end_headers()
        self.wfile.write(self.headers["Host"].encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have 127.0.0.1, where a test's server is, count as public; 127.0.0.2 stays what it is."""
    monkeypatch.setattr(network_policy, "kind_of", lambda address: "" if address == "127.0.0.1" else "loopback")


def get(url: str, **fields: Any) -> httpx.Response:
    async def request() -> httpx.Response:
        async with network_policy.client(5, **fields) as client:
            return await client.get(url)

    return asyncio.run(request())


class TestResolve:
    def test_administrators_go_anywhere(self) -> None:
        assert network_policy.resolve("127.0.0.1", 5) == ["127.0.0.1"]
        assert network_policy.resolve("169.254.169.254", 5) == ["169.254.169.254"]

    @pytest.mark.parametrize(
        ("host", "kind"),
        [
            ("localhost", "loopback"),
            ("127.1", "loopback"),
            ("2130706433", "loopback"),
            ("0x7f.0.0.1", "loopback"),
            ("0", "unspecified"),
            ("10.0.0.1", "private"),
            ("::ffff:169.254.169.254", "cloud metadata"),
        ],
    )
    def test_others_do_not_however_it_is_written(self, host: str, kind: str) -> None:
        with limited(), pytest.raises(Forbidden, match=f"^The address of {host} is {kind}; only .* there\\.$"):
            network_policy.resolve(host, 5)

    def test_one_bad_address_among_good_ones_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lead(monkeypatch, mixed=[PUBLIC, "10.0.0.1"])
        with limited(), pytest.raises(Forbidden):
            network_policy.resolve("mixed.test", 5)

    def test_the_limit_ends_where_it_was_set(self) -> None:
        with limited():
            assert network_policy.is_limited()
        assert not network_policy.is_limited()
        network_policy.resolve("127.0.0.1", 5)

    def test_it_holds_inside_a_loop_and_its_tasks(self) -> None:
        async def ask() -> list[str]:
            return await asyncio.create_task(network_policy.resolve_async("localhost", 5))

        with limited(), pytest.raises(Forbidden):
            asyncio.run(ask())

    def test_private_networks_can_be_opened_by_a_setting_and_nothing_else_is(self, settings: LazySettings) -> None:
        settings.ALLOW_PRIVATE_ADDRESSES = True
        with limited():
            assert network_policy.resolve("192.168.0.1", 5) == ["192.168.0.1"]
            for host in ("127.0.0.1", "169.254.0.1", "169.254.169.254", "100.100.100.200", "fe80::1"):
                with pytest.raises(Forbidden):
                    network_policy.resolve(host, 5)

    def test_a_name_that_nobody_has_is_a_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lead(monkeypatch)
        with pytest.raises(
            Unreachable, match=r"^The name nobody\.test can't be looked up \(Name or service not known\)\.$"
        ):
            network_policy.resolve("nobody.test", 10)

    def test_a_name_server_that_hangs_costs_the_time_that_was_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        over = threading.Event()
        lead(monkeypatch, slow=lambda: [PUBLIC] if over.wait(20) else [])
        began = time.monotonic()
        try:
            with pytest.raises(Unreachable, match=r"could not be looked up within 0\.2 s\.$"):
                network_policy.resolve("slow.test", 0.2)
            with pytest.raises(Unreachable, match=r"could not be looked up within 0\.2 s\.$"):
                asyncio.run(network_policy.resolve_async("slow.test", 0.2))
        finally:
            over.set()
        assert time.monotonic() - began < 3


class TestConnect:
    def test_it_opens(self, port: int) -> None:
        with network_policy.connect("localhost", port, 5) as opened:
            assert opened.getpeername()[1] == port
            assert 0 < (opened.gettimeout() or 0) <= 5

    def test_it_tries_one_address_after_the_other(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        lead(monkeypatch, two=["127.0.0.2", "127.0.0.1"])
        with network_policy.connect("two.test", port, 5) as opened:
            assert opened.getpeername()[0] == "127.0.0.1"

    def test_nobody_there_is_a_sentence(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=rf"^127\.0\.0\.1 port {closed} does not open \(Connection refused\)\.$"):
            network_policy.connect("127.0.0.1", closed, 5)

    def test_it_is_limited(self, port: int) -> None:
        with limited(), pytest.raises(Forbidden):
            network_policy.connect("127.0.0.1", port, 5)


class TestClient:
    def test_it_asks_by_the_name_though_it_connects_to_an_address(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lead(monkeypatch, shop=["127.0.0.2", "127.0.0.1"])
        assert get(f"http://shop.test:{port}/").text == f"shop.test:{port}"

    def test_it_tells_how_long_looking_up_took(self, port: int) -> None:
        took: list[float] = []
        get(f"http://localhost:{port}/", on_lookup=took.append)
        assert len(took) == 1
        assert 0 < took[0] < 5

    def test_it_is_limited(self, port: int) -> None:
        with limited(), pytest.raises(Forbidden, match="The address of localhost is loopback"):
            get(f"http://localhost:{port}/")

    @pytest.mark.usefixtures("loopback_is_public")
    def test_a_redirect_is_checked_too(self, port: int) -> None:
        url = f"http://127.0.0.1:{port}/to/127.0.0.2:{port}/"
        with pytest.raises(httpx.ConnectError):  # only the other address has a server
            get(url, follow_redirects=True)
        with limited(), pytest.raises(Forbidden, match=r"The address of 127\.0\.0\.2"):
            get(url, follow_redirects=True)

    @pytest.mark.usefixtures("loopback_is_public")
    def test_a_name_that_changes_its_mind_is_asked_once(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second answer would be where the first one's check does not hold."""
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        lead(monkeypatch, rebinding=lambda: next(answers))
        with limited():
            assert get(f"http://rebinding.test:{port}/").status_code == 200
            with pytest.raises(Forbidden):
                get(f"http://rebinding.test:{port}/")

    def test_a_proxy_in_the_environment_is_not_used(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert get(f"http://127.0.0.1:{port}/").status_code == 200

    def test_a_name_that_nobody_has_is_a_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lead(monkeypatch)
        with pytest.raises(Unreachable, match=r"can't be looked up"):
            get("http://nobody.test/")

    def test_nobody_there_is_httpx_s_error(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]
        with pytest.raises(httpx.ConnectError):
            get(f"http://127.0.0.1:{closed}/")
