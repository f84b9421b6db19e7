"""Programs follow a room and a dashboard, with a token and with a ticket: `websockets`, Node's own, and npm's `ws`."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.sync.client import connect

from tests import debian
from tests.integration.bench import HELD_UP_S, SLUG, Bench

pytestmark = pytest.mark.integration

DOCS = Path(__file__).parents[3] / "docs"
FOLLOW = Path(__file__).parents[1] / "follow.mjs"


class Client(NamedTuple):
    """A client of a socket: `send` takes a message, `receive` waits for the next."""

    send: Callable[[dict[str, Any]], None]
    receive: Callable[[], dict[str, Any]]

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not condition(found := self.receive()):
            pass
        return found


@contextmanager
def in_python(url: str, token: str) -> Iterator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with connect(url, additional_headers=headers, open_timeout=30, close_timeout=5) as socket:
        yield Client(
            lambda message: socket.send(json.dumps(message)), lambda: dict(json.loads(socket.recv(HELD_UP_S * 3)))
        )
        socket.close()
        assert socket.close_code == 1000


@contextmanager
def in_node(url: str, token: str, *, ws: bool = False) -> Iterator[Client]:
    """Follow with Node's own WebSocket, or with npm's package `ws`."""
    try:
        node = debian.installed("node")
        env = os.environ | ({"WS": debian.module("ws")} if ws else {})
    except debian.NoProgramError as error:
        pytest.skip(str(error))
    command = [node, "--experimental-websocket", "--no-warnings", str(FOLLOW), url, *([token] if token else [])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, lines = process.stdin, Queue[str]()
        threading.Thread(target=_pass_on, args=[process.stdout, lines]).start()

        def send(message: dict[str, Any]) -> None:
            stdin.write(json.dumps(message) + "\n")
            stdin.flush()

        client = Client(send, lambda: dict(json.loads(lines.get(timeout=HELD_UP_S * 3))))
        try:
            yield client
            stdin.close()
            assert client.until(lambda message: "closed" in message) == {"closed": 1000}
        finally:
            process.kill()


def _pass_on(output: Iterable[str], lines: Queue[str]) -> None:
    for line in output:
        lines.put(line)


def test_programs_follow_a_room_and_a_dashboard(bench: Bench) -> None:
    editor = bench.stack.manage("token", "talker", "--scope", "edit").strip()
    api = httpx.Client(base_url=bench.stack.url, headers={"Authorization": f"Bearer {editor}"}, timeout=30)
    room = api.post("/api/v1/rooms", json={"title": "Clients"}).json()["id"]
    paths = {"room": f"/ws/rooms/{room}/", "dashboard": f"/ws/dashboards/{SLUG}/"}

    def url(path: str, *, ticket: bool) -> str:
        query = "?format=json&range=15m"
        if ticket:
            query += "&ticket=" + api.post("/api/v1/ws-ticket", json={"path": path}).json()["ticket"]
        return f"ws://127.0.0.1:{bench.stack.port}{path}{query}"

    with ExitStack() as stack:
        stack.callback(api.close)
        followers = {
            (name, ticket, follow): stack.enter_context(follow(url(path, ticket=ticket), "" if ticket else editor))
            for name, path in paths.items()
            for ticket in (False, True)
            for follow in (in_python, in_node, partial(in_node, ws=True))
        }
        for client in followers.values():
            assert client.receive()["type"] == "hello"
        in_room = [client for (name, *_), client in followers.items() if name == "room"]
        for number, client in enumerate(in_room):
            client.send({"say": f"hello {number}"})
            for other in in_room:
                assert other.until(lambda message: message["type"] == "entry")["text"] == f"hello {number}"
        value = bench.push()
        for (name, *_), client in followers.items():
            if name == "dashboard":
                found = client.until(lambda message: value in newest(message))
                client.send({"ack": found["version"]})


def newest(message: dict[str, Any]) -> set[float]:
    """Return the values that the widgets of a message show."""
    widgets = message.get("widgets", {}).values()
    return {one["value"] for widget in widgets if widget for one in widget["series"]}


def test_the_example_of_the_docs_follows_alerts(bench: Bench) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (DOCS / "alerts.md").read_text(), re.MULTILINE | re.DOTALL)
    example: dict[str, Any] = {}
    exec(code, example)
    with closing(example["follow"](f"ws://127.0.0.1:{bench.stack.port}", bench.read_token)) as messages:
        snapshot = next(messages)
        assert snapshot["type"] == "snapshot"
        alert = {"alerts": [{"name": "Followed", "labels": {"job": "docs"}}]}
        headers = {"Authorization": f"Bearer {bench.push_token}"}
        httpx.post(f"{bench.stack.url}/api/v1/alerts", json=alert, headers=headers, timeout=30).raise_for_status()
        while (event := next(messages)).get("alert", {}).get("rule") != "Followed":
            pass
        assert event["change"] == "began"
    with closing(example["follow"](f"ws://127.0.0.1:{bench.stack.port}", bench.read_token, event["id"] - 1)) as again:
        assert next(again) == event
