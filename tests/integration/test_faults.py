"""What breaks, on the real processes, and what every open page shows afterwards, against the database."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.page import Page, sign_in
from tests.integration.stack import ROOT, Stack
from tests.integration.wire import Wire

pytestmark = pytest.mark.integration

SLUG = "faults"
WIDGETS = 24


class Bench:
    """A running system with a dashboard of many widgets on one pushed metric."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.client = sign_in(stack)
        self.push_token = stack.manage("token", "pusher", "--scope", "push").strip()
        self.read_token = stack.manage("token", "reader", "--scope", "read").strip()
        admin = stack.manage("token", "maker", "--scope", "admin").strip()
        self.value = 0
        widgets = [
            {
                "kind": "line" if index % 2 else "number",
                "title": f"Widget {index}",
                "config": {"queries": [{"metric": "load"}]},
            }
            for index in range(WIDGETS)
        ]
        answer = self.client.post(
            "/api/v1/dashboards",
            json={"slug": SLUG, "title": "Faults", "range": "15m", "widgets": widgets},
            headers={"Authorization": f"Bearer {admin}"},
        )
        assert answer.status_code == 201, answer.text
        self.push()

    def push(self) -> int:
        """Push a value that was not there before; return it."""
        self.value += 1
        answer = httpx.post(
            f"{self.stack.url}/api/v1/samples",
            json={"samples": [{"metric": "load", "value": self.value}]},
            headers={"Authorization": f"Bearer {self.push_token}"},
            timeout=20,
        )
        assert answer.status_code == 202, answer.text
        return self.value

    def page(self) -> Page:
        return Page(self.client, SLUG)

    def socket(self) -> ClientConnection:
        """A socket of a program, that reads only when it is told to."""
        return connect(
            f"ws://127.0.0.1:{self.stack.port}/ws/dashboards/{SLUG}/?range=15m",
            additional_headers={"Authorization": f"Bearer {self.read_token}"},
            max_size=None,
            close_timeout=1,
        )

    def shell(self, code: str) -> None:
        """Do what only an administrator can, in a process of its own."""
        imports = (
            "from django.contrib.auth.models import User; from metrics.actions import access, dashboards;"
            f"from metrics.models import Dashboard; d = Dashboard.objects.get(slug='{SLUG}');"
        )
        self.stack.manage("shell", "-v0", "-c", imports + code)

    def kill(self, name: str) -> int:
        pid = self.stack.pid_of(name)
        os.kill(pid, signal.SIGKILL)
        return pid


@pytest.fixture
def untroubled(bench: Bench) -> Iterator[None]:
    """Nothing that a client does is an exception in the log."""
    before = len(bench.stack.output())
    yield
    assert "Traceback" not in bench.stack.output()[before:]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Stack() as stack:
        made = Bench(stack)
        yield made
        made.client.close()


def shows(page: Page, value: int) -> bool:
    """Whether every number widget shows `value`."""
    number = re.compile(rf'<p class="value em-\d+">{value}<')
    return sum(bool(number.search(html)) for html in page.widgets.values()) == WIDGETS // 2


def test_a_push_is_on_the_page_and_the_page_equals_one_loaded_anew(bench: Bench) -> None:
    with bench.page() as page:
        value = bench.push()
        page.wait(lambda: shows(page, value), "the pushed value")
        page.becomes_right(5)


def test_redis_killed_and_back_empty(bench: Bench) -> None:
    with bench.page() as page:
        bench.push()
        epoch = page.pulse[0]
        killed = bench.kill("redis")
        # The database takes what Redis can't pass on.
        value = bench.push()
        page.wait(lambda: _is_back(bench.stack, "redis", killed), "Redis")
        page.wait(lambda: shows(page, value), "the value pushed meanwhile", 5)
        page.becomes_right(5)
        assert page.pulse[0] != epoch
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value pushed afterwards", 5)


@pytest.mark.parametrize("worker", ["render", "collect", "beat"])
def test_a_worker_killed_while_values_come(bench: Bench, worker: str) -> None:
    with bench.page() as page:
        for _ in range(5):
            bench.push()
        bench.kill(worker)
        value = bench.push()
        page.wait(lambda: shows(page, value), "the value pushed meanwhile", 20)
        page.becomes_right(10)
    bench.stack.wait_until_ready()


def test_web_killed_with_pages_open(bench: Bench) -> None:
    with bench.page() as one, bench.page() as two:
        killed = bench.kill("web")
        one.wait(lambda: _is_back(bench.stack, "web", killed), "the web process")
        bench.stack.wait_until_ready()
        value = bench.push()
        for page in (one, two):
            page.wait(partial(shows, page, value), "the value pushed meanwhile", 20)
            page.becomes_right(5)


def test_web_asked_to_stop_tells_every_page_to_come_back(bench: Bench) -> None:
    with bench.page() as one, bench.page() as two:
        asked = bench.stack.pid_of("web")
        began = time.monotonic()
        os.kill(asked, signal.SIGTERM)
        one.wait(lambda: not psutil.pid_exists(asked), "the end of the web process")
        assert time.monotonic() - began < 10
        assert one.codes == two.codes == [1012]
        bench.stack.wait_until_ready()
        value = bench.push()
        for page in (one, two):
            page.wait(partial(shows, page, value), "a value pushed afterwards", 20)


def test_two_beats_collect_each_slot_once(bench: Bench) -> None:
    second = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "dashboard_project", "beat"],
        cwd=ROOT,
        env=bench.stack.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(3)
        began = time.time()
        time.sleep(12)
        ended = time.time()
    finally:
        second.terminate()
        second.wait(20)
    times = _sample_times(bench, "host_load", began, ended)
    slots = [int(at // 2) for at in times]  # the demo collects the host every two seconds
    assert len(slots) >= 5
    assert len(slots) == len(set(slots)), "a slot was collected twice"


def test_a_reader_that_stops_reading_hurts_only_itself(bench: Bench) -> None:
    web = psutil.Process(bench.stack.pid_of("web"))
    with bench.page() as page, _deaf(bench) as deaf:
        memory = web.memory_info().rss
        until = time.monotonic() + 40
        closed = False
        while time.monotonic() < until and not closed:
            value = bench.push()
            page.wait(partial(shows, page, value), "a value", 3)
            closed = _was_dropped(deaf)
        grown = web.memory_info().rss - memory
    assert closed, "a reader that acknowledges nothing for 30 s is sent away"
    assert grown < 8 * 1024 * 1024, "what is kept for it is bounded"


def test_a_reader_at_one_kilobyte_a_second_does_not_make_the_others_wait(bench: Bench) -> None:
    with bench.page() as page, _deaf(bench) as slow:
        stop = threading.Event()
        read = bytearray()

        def trickle() -> None:
            while not stop.wait(1):
                with suppress(TimeoutError):
                    read.extend(slow.recv(1024))

        reader = threading.Thread(target=trickle, daemon=True)
        reader.start()
        for _ in range(20):
            value = bench.push()
            page.wait(partial(shows, page, value), "a value", 3)
        stop.set()
        reader.join(5)
        page.becomes_right(5)
    assert b"hx-partial" in read


@pytest.mark.usefixtures("untroubled")
def test_a_client_that_floods_is_told_and_sent_away(bench: Bench) -> None:
    with bench.page() as page:
        with bench.socket() as flood:
            with suppress(ConnectionClosed):
                for _ in range(5000):
                    flood.send('{"ack": 1}')
            heard, code = _until_closed(flood)
        # It may be cut off while it still sends, and then its own system drops what it was told.
        assert code in (1006, 1008)
        assert code == 1006 or "Too many messages." in heard[-1]
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value, on another page", 5)


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ("nonsense", 1008, "A message is"),
        ("[1, 2]", 1008, "A message is"),
        ('{"ack": "4"}', 1008, "A message is"),
        ("x" * 2000, 1008, "at most 1024 characters"),
        (b"\x00\x01", 1008, "at most 1024 characters"),
        ("x" * 100_000, 1009, ""),
    ],
)
@pytest.mark.usefixtures("untroubled")
def test_what_a_client_must_not_send(bench: Bench, message: str | bytes, code: int, said: str) -> None:
    with bench.socket() as client:
        client.recv(5)
        client.send(message)
        heard, closed = _until_closed(client)
    assert closed == code
    assert said in "".join(json.loads(text)["error"] for text in heard if text.startswith("{"))


def test_a_network_that_drops_for_twenty_seconds(bench: Bench) -> None:
    with Wire(bench.stack.port) as wire, Page(bench.client, SLUG, port=wire.port) as page, bench.page() as other:
        wire.cut()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            value = bench.push()
            other.wait(partial(shows, other, value), "a value, on a page with a network", 3)
            time.sleep(0.5)
        assert not shows(page, value)
        assert time.monotonic() - page.heard_at > 15, "a page that hears nothing for so long says so"
        wire.mend()
        page.wait(partial(shows, page, value), "the newest value", 5)
        page.becomes_right(5)


class TestDoors:
    """Access that ends closes the sockets concerned within two seconds."""

    def test_signing_out(self, bench: Bench) -> None:
        client = sign_in(bench.stack)
        with Page(client, SLUG) as page, bench.page() as other:
            client.post(
                "/sign-out/",
                data={"csrfmiddlewaretoken": client.cookies["csrftoken"]},
                headers={"Referer": bench.stack.url},
                follow_redirects=False,
            )
            page.wait(lambda: page.codes == [4401], "the close code", 2)
            assert other.codes == [], "another session of the same user stays"
        client.close()

    def test_revoking_a_token(self, bench: Bench) -> None:
        secret = bench.stack.manage("token", "short-lived", "--scope", "read").strip()
        with connect(
            f"ws://127.0.0.1:{bench.stack.port}/ws/dashboards/{SLUG}/?range=15m",
            additional_headers={"Authorization": f"Bearer {secret}"},
        ) as client:
            client.recv(5)
            bench.stack.manage("token", "short-lived", "--revoke")
            began = time.monotonic()
            assert _until_closed(client)[1] == 4401
            assert time.monotonic() - began < 2

    def test_disabling_a_user_and_closing_a_dashboard(self, bench: Bench) -> None:
        bench.shell("User.objects.create_user('ann', password='a-long-one')")
        ann = sign_in(bench.stack, "ann", "a-long-one")
        with Page(ann, SLUG) as page, bench.page() as other:
            bench.shell("d.for_everyone = False; d.save(); dashboards.edited(d)")
            page.wait(lambda: page.codes == [4403], "the close code", 2)
            assert other.codes == [], "an administrator may stay"
            bench.shell("d.for_everyone = True; d.save()")
        with Page(ann, SLUG) as page:
            bench.shell("u = User.objects.get(username='ann'); u.is_active = False; u.save(); access.user_changed(u)")
            page.wait(lambda: page.codes == [4401], "the close code", 2)
        ann.close()


def test_limits_of_sockets_are_told_to_the_client() -> None:
    with Stack(SOCKETS_PER_USER="2") as stack:
        bench = Bench(stack)
        with bench.socket() as first, bench.socket() as second:
            first.recv(5)
            second.recv(5)
            with bench.socket() as third:
                assert _until_closed(third) == ([], 1013)
            first.close()
            with bench.socket() as again:
                assert "pulse" in str(again.recv(5))
        bench.client.close()


def test_redis_with_its_data_killed_and_restarted(tmp_path: Path) -> None:
    port = _free_port()
    arguments = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(tmp_path),
        "--appendonly",
        "yes",
    ]
    arguments += ["--appendfsync", "always", "--logfile", str(tmp_path / "redis.log")]
    redis = subprocess.Popen(arguments)
    try:
        with Stack(REDIS_URL=f"redis://127.0.0.1:{port}/0") as stack:
            bench = Bench(stack)
            with bench.page() as page:
                value = bench.push()
                page.wait(lambda: shows(page, value), "a value")
                epoch = page.pulse[0]
                redis.kill()
                redis.wait()
                value = bench.push()
                redis = subprocess.Popen(arguments)
                page.wait(lambda: shows(page, value), "the value pushed meanwhile", 8)
                page.becomes_right(5)
                assert page.pulse[0] == epoch, "the data came back, and with it the epoch"
            bench.client.close()
    finally:
        redis.terminate()
        redis.wait(10)


def _until_closed(client: ClientConnection) -> tuple[list[str], int]:
    """Return what the server still sent, and the code it closed with; 1006 if it gave none."""
    heard: list[str] = []
    try:
        while True:
            heard.append(str(client.recv(5)))
    except ConnectionClosed as closed:
        return heard, closed.rcvd.code if closed.rcvd else 1006


def _is_back(stack: Stack, name: str, killed: int) -> bool:
    try:
        return stack.pid_of(name) != killed
    except (FileNotFoundError, ValueError):
        return False


def _sample_times(bench: Bench, metric: str, start: float, end: float) -> list[float]:
    """Return the times of the stored samples of one series of `metric`."""
    code = (
        "from metrics.models import Sample;"
        f"found = Sample.objects.filter(series__metric='{metric}', series__labels__over='1m');"
        f"found = found.filter(at_ms__gte={start * 1000:.0f}, at_ms__lt={end * 1000:.0f});"
        "print(list(found.values_list('at_ms', flat=True)))"
    )
    return [at_ms / 1000 for at_ms in json.loads(bench.stack.manage("shell", "-v0", "-c", code))]


def _deaf(bench: Bench) -> socket.socket:
    """A socket that did its handshake, with a small buffer, and reads nothing from then on."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(0.2)
    client.connect(("127.0.0.1", bench.stack.port))
    client.sendall(
        f"GET /ws/dashboards/{SLUG}/?range=15m HTTP/1.1\r\nHost: 127.0.0.1:{bench.stack.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {bench.read_token}\r\n\r\n".encode()
    )
    return client


def _was_dropped(client: socket.socket) -> bool:
    """Whether the server ended the connection, found out without reading from it."""
    try:
        client.sendall(b"\x8a\x80\x00\x00\x00\x00")  # a pong, which the server ignores
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
