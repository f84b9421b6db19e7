"""A page without a browser: loaded over HTTP, kept up over the WebSocket, compared with a page loaded anew."""

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.integration.stack import Stack

ARTICLE = re.compile(r'<(article|div) id="(?:w-)?([\w-]+)".*?</\1>', re.S)
"""A widget, or the notice."""
PARTIAL = re.compile(r'<hx-partial hx-target="#(?:w-)?([\w-]+)" hx-swap="outerMorph">(.*?)</hx-partial>', re.S)
PULSE = re.compile(r'<i id="pulse"[^>]*data-epoch="(\w*)" data-version="(\d+)" data-time="([\d.]+)"')
LOOKS_S = 0.1
"""How often a condition is looked at while the page hears nothing."""
BY_TIME = re.compile(r' data-state="\w+"|(?<=data-freshness>)[^<]*')
"""Parts that the page itself changes as time passes: the state of the freshness, and its words."""


def sign_in(stack: Stack, name: str = "admin", password: str = "") -> httpx.Client:
    """Return a client that is signed in."""
    client = httpx.Client(base_url=stack.url, follow_redirects=True, timeout=60)
    client.get("/sign-in/")
    answer = client.post(
        "/sign-in/",
        data={
            "username": name,
            "password": password or stack.password,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        },
        headers={"Referer": stack.url},
    )
    assert answer.status_code == 200
    assert "sessionid" in client.cookies
    return client


class Page:
    """One open page. A thread swaps in what frames bring, acknowledges, and reconnects with what it shows."""

    def __init__(self, client: httpx.Client, slug: str, range: str = "15m", port: int | None = None) -> None:
        self.client = client
        self.path = f"/d/{slug}/?range={range}"
        self.widgets, self.pulse = self.fresh()
        self.host = f"127.0.0.1:{port or client.base_url.port}"
        self.socket_path = f"/ws/dashboards/{slug}/?range={range}"
        self.codes: list[int] = []
        self.server_time = 0.0
        self.heard_at = 0.0
        self.acknowledges = True
        self._news = threading.Event()
        self._closing = False
        self._socket: ClientConnection | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Page":
        self.wait(lambda: self.heard_at > 0, "a first frame")
        return self

    def __exit__(self, *_: Any) -> None:
        self._closing = True
        if self._socket is not None:
            self._socket.close()
        self._thread.join(10)

    def fresh(self) -> tuple[dict[str, str], tuple[str, int]]:
        """Load the page anew; return its widgets and its notice by id, and its epoch and version."""
        text = self.client.get(self.path).raise_for_status().text
        found = PULSE.search(text)
        assert found, text
        return {match[2]: match[0] for match in ARTICLE.finditer(text)}, (found[1], int(found[2]))

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = 15) -> float:
        """Wait until `condition`; return how long that took."""
        began = time.monotonic()
        while True:
            self._news.clear()
            if condition():
                return time.monotonic() - began
            assert time.monotonic() - began < timeout_s, f"waited {timeout_s} s for {what}"
            self._news.wait(LOOKS_S)

    def becomes_right(self, timeout_s: float) -> float:
        """Wait until the page equals one loaded anew; return how long that took."""
        began = time.monotonic()
        while True:
            fresh = _timeless(self.fresh()[0])
            if _timeless(self.widgets) == fresh:
                return time.monotonic() - began
            wrong = [widget for widget, html in _timeless(self.widgets).items() if html != fresh.get(widget)]
            late = time.monotonic() - began > timeout_s
            assert not late, f"widgets {wrong} differ, such as\n{self.widgets[wrong[0]]}\nfrom\n{fresh[wrong[0]]}"
            time.sleep(0.5)

    def shows(self, text: str) -> bool:
        return any(text in html for html in self.widgets.values())

    def _run(self) -> None:
        while not self._closing:
            try:
                self._follow()
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else 1006)
                self._news.set()
                if 4400 <= self.codes[-1] < 4500:
                    return
            except (OSError, WebSocketException):
                pass
            time.sleep(0.5)

    def _follow(self) -> None:
        epoch, version = self.pulse
        cookie = f"sessionid={self.client.cookies['sessionid']}"
        url = f"ws://{self.host}{self.socket_path}&epoch={epoch}&version={version}"
        with connect(
            url,
            origin=Origin(f"http://{self.host}"),
            additional_headers={"Cookie": cookie},
            max_size=None,
            close_timeout=1,
        ) as socket:
            self._socket = socket
            while True:
                self._swap(str(socket.recv()))
                if self.acknowledges:
                    socket.send(json.dumps({"ack": self.pulse[1]}))

    def _swap(self, frame: str) -> None:
        for match in PARTIAL.finditer(frame):
            if match[1] in self.widgets:
                self.widgets[match[1]] = match[2]
        found = PULSE.search(frame)
        assert found, frame
        self.pulse = (found[1], int(found[2]))
        self.server_time = float(found[3])
        self.heard_at = time.monotonic()
        self._news.set()


def _timeless(widgets: dict[str, str]) -> dict[str, str]:
    return {widget: BY_TIME.sub("", html).strip() for widget, html in widgets.items()}
