"""Logs through faults: every entry in order, though the web process is killed; and elements for one person alone."""

import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from tests.integration.bench import Bench
from tests.integration.page import sign_in
from tests.integration.stack import free_port

pytestmark = pytest.mark.integration

MESSAGES = 240
WRITERS, READERS = 4, 2
READ_S = 90
BEFORE, MANY = 9_000, 10_000
STORE = """
from django.utils import timezone
from metrics.live.topic import room
from metrics.models import LogHead, Message
LogHead.objects.update_or_create(topic=str(room({room})), defaults={{"newest": {most}, "said": {most}}})
row = lambda number: Message(
    room_id={room}, number=number, changed=number, ordinal=number, by="ada", text=f"entry {{number}}", at=timezone.now()
)
Message.objects.bulk_create([row(number) for number in range(1, {most} + 1)], batch_size=500)
"""
SAY = """
from metrics.access.principal import SYSTEM
from metrics.actions.messages import Draft, say_all
for first in range({first}, {end}, 50):
    say_all([Draft(SYSTEM, {room}, f"entry {{number}}") for number in range(first, first + 50)])
"""
TOLD_S = 5.0


@pytest.fixture(scope="module")
def editor(bench: Bench) -> Iterator[httpx.Client]:
    """A program that may write."""
    token = bench.stack.manage("token", "writer", "--scope", "edit").strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=bench.stack.url, headers=headers, timeout=60) as client:
        yield client


def entries(url: str, headers: dict[str, str], until: float) -> Generator[tuple[int, str], None, None]:
    """Yield the ids and texts of a room's entries as a program reads them that comes back after each break."""
    after = 0
    while time.monotonic() < until:
        with (
            suppress(ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, TimeoutError),
            connect(f"{url}?format=json&after={after}", additional_headers=headers, open_timeout=5) as socket,
        ):
            while time.monotonic() < until:
                said = json.loads(socket.recv(timeout=5))
                if said["type"] == "entry":
                    after = said["id"]
                    yield after, said["text"]
        time.sleep(0.1)


def test_every_entry_comes_in_the_same_order_though_everything_is_killed(bench: Bench, editor: httpx.Client) -> None:
    room = editor.post("/api/v1/rooms", json={"title": "Killed"}).json()["id"]
    done = threading.Event()
    accepted: dict[str, int] = {}

    def write(name: str) -> None:
        for number in range(1, MESSAGES // WRITERS + 1):
            body = {"text": f"{name} {number}", "client_id": f"{name} {number}"}
            while body["text"] not in accepted and not done.is_set():
                with suppress(httpx.HTTPError):
                    answer = editor.post(f"/api/v1/rooms/{room}/messages", json=body)
                    if answer.status_code == 201:
                        accepted[body["text"]] = answer.json()["id"]
                        continue
                time.sleep(0.2)

    url = f"{bench.stack.url.replace('http', 'ws')}/ws/rooms/{room}/"
    headers = {"Authorization": str(editor.headers["Authorization"])}
    read: list[list[tuple[int, str]]] = [[] for _ in range(READERS)]

    def follow(found: list[tuple[int, str]]) -> None:
        with closing(entries(url, headers, time.monotonic() + READ_S)) as reader:
            for id, text in reader:
                found.append((id, text))
                if len(found) == MESSAGES:
                    return

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"[:WRITERS]]
    threads += [threading.Thread(target=follow, args=(found,)) for found in read]
    for thread in threads:
        thread.start()
    for part, killed in enumerate(("web", "redis", "render", "collect", "web"), 1):
        until = time.monotonic() + READ_S
        while len(accepted) < part * MESSAGES // 6:
            assert time.monotonic() < until, f"{len(accepted)} were accepted before {killed} was to be killed."
            time.sleep(0.02)
        bench.stack.kill(killed)
    for thread in threads:
        thread.join(READ_S)
    done.set()
    assert len(accepted) == MESSAGES
    assert read[0] == sorted((id, text) for text, id in accepted.items())
    assert all(one == read[0] for one in read)
    assert [id for id, _ in read[0]] == list(range(1, MESSAGES + 1))
    bench.stack.wait_until_ready()


def test_ten_thousand_entries_come_in_order_though_the_web_process_is_killed_twice(
    bench: Bench, editor: httpx.Client
) -> None:
    """Most were said before somebody follows, which is what a viewer reads on from; the others are said meanwhile."""
    room = editor.post("/api/v1/rooms", json={"title": "Long"}).json()["id"]
    bench.stack.manage("shell", "-v0", "-c", STORE.format(room=room, most=BEFORE))
    url = f"{bench.stack.url.replace('http', 'ws')}/ws/rooms/{room}/"
    found: list[tuple[int, str]] = []
    kills = [BEFORE // 2, (BEFORE + MANY) // 2]
    meanwhile = SAY.format(room=room, first=BEFORE + 1, end=MANY + 1)
    says = threading.Thread(target=bench.stack.manage, args=("shell", "-v0", "-c", meanwhile))
    headers = {"Authorization": str(editor.headers["Authorization"])}
    with closing(entries(url, headers, time.monotonic() + READ_S)) as reader:
        for entry in reader:
            found.append(entry)
            if kills and len(found) >= kills[0]:
                bench.stack.kill("web")
                kills.pop(0)
            if len(found) == BEFORE:
                says.start()
            if len(found) == MANY:
                break
    assert kills == []
    assert found == [(number, f"entry {number}") for number in range(1, MANY + 1)]
    says.join(READ_S)
    bench.stack.wait_until_ready()


def test_what_is_for_one_person_comes_to_their_tabs_on_every_process_alone(bench: Bench, editor: httpx.Client) -> None:
    script = (
        "from django.contrib.auth.models import User; User.objects.create_user('ada', password='four words make it')"
    )
    bench.stack.manage("shell", "-v0", "-c", script)
    port = free_port()
    with bench.stack.another("web", PORT=str(port)), ExitStack() as open_:
        urls = [bench.stack.url, f"http://127.0.0.1:{port}"]
        wait_for(urls[1])
        hers, others = cookie(bench, "ada"), cookie(bench, "admin", bench.stack.password)

        def tab(url: str, who: str, path: str) -> ClientConnection:
            headers = {"Cookie": who, "Origin": url}
            return open_.enter_context(connect(url.replace("http", "ws") + path, additional_headers=headers))

        page, notes = "/ws/dashboards/faults/?range=15m&personal=1", "/ws/notifications/?personal=1"
        tabs = [tab(urls[0], hers, page), tab(urls[0], hers, notes), tab(urls[1], hers, notes)]
        strangers = [tab(url, others, path) for url in urls for path in (page, notes) for _ in range(5)]
        walls = [tab(url, hers, "/ws/dashboards/faults/?range=15m") for url in urls]
        for socket in (*tabs, *strangers[::5]):
            assert "bell" in text_until(socket, "bell", 10), "all have joined"
        body = {"to": "user:ada", "text": "Only for ada"}
        assert editor.post("/api/v1/notifications", json=body).json() == {"notified": 1}
        for socket in tabs:
            assert "Only for ada" in text_until(socket, "Only for ada", TOLD_S)
        for socket in (*strangers, *walls):
            assert "Only for ada" not in text_until(socket, "Only for ada", 0.1)


def text_until(socket: ClientConnection, wanted: str, seconds: float) -> str:
    """Return what comes until `wanted` is in it, or `seconds` are over."""
    found, until = "", time.monotonic() + seconds
    while wanted not in found and (left := until - time.monotonic()) > 0:
        with suppress(TimeoutError):
            found += str(socket.recv(timeout=left))
    return found


def cookie(bench: Bench, user: str, password: str = "four words make it") -> str:
    with closing(sign_in(bench.stack, user, password)) as client:
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            httpx.get(f"{url}/healthz", timeout=60).raise_for_status()
            return
        assert time.monotonic() < until
        time.sleep(0.1)
