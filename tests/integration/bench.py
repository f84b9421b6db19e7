"""Base of the tests of faults: a running system, a dashboard of many widgets, pushes, pages and sockets."""

import json
import re
import statistics

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.page import Page, sign_in
from tests.integration.stack import Stack

SLUG = "faults"
WIDGETS = 24
HELD_UP_S = 10.0
"""No value takes so long, however busy the machine is, unless it waits for somebody who is stuck for longer."""
USUAL_S = 3.0
"""In which most values are on the page."""


class Bench:
    """A running system with a dashboard of many widgets on one pushed metric."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.client = sign_in(stack)
        tokens = (
            "from metrics.access.principal import SYSTEM; from metrics.actions import tokens;"
            "print(*(tokens.create(SYSTEM, scope, scope) for scope in ('push', 'read', 'admin')))"
        )
        self.push_token, self.read_token, admin = stack.manage("shell", "-v0", "-c", tokens).split()
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
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        return self.value

    def page(self) -> Page:
        return Page(self.client, SLUG)

    def socket(self, token: str = "", port: int | None = None) -> ClientConnection:
        """A socket of a program, that reads only when it is told to; without `token`, that of the reader."""
        return connect(
            f"ws://127.0.0.1:{port or self.stack.port}/ws/dashboards/{SLUG}/?range=15m",
            additional_headers={"Authorization": f"Bearer {token or self.read_token}"},
            max_size=None,
            open_timeout=30,
            close_timeout=1,
        )

    def ready(self) -> dict[str, str]:
        """Return what /readyz says of each part."""
        parts: dict[str, str] = httpx.get(f"{self.stack.url}/readyz", timeout=60).json()
        return parts

    def newest_at(self, metric: str) -> float:
        """Return the time of the newest sample of `metric`."""
        answer = httpx.get(
            f"{self.stack.url}/api/v1/series",
            params={"metric": metric},
            headers={"Authorization": f"Bearer {self.read_token}"},
            timeout=60,
        )
        return max(float(series["at"]) for series in answer.raise_for_status().json()["series"])

    def runs(self) -> dict[str, tuple[float, list[float]]]:
        """Return of each source by name how often it runs (seconds), and the times of its samples, each once."""
        code = (
            "import json; from metrics.models import Sample, Source;"
            "times = lambda source: Sample.objects.filter(series__source=source).values_list('at_ms', flat=True);"
            "found = Source.objects.filter(every_s__isnull=False);"
            "print(json.dumps({one.name: (one.every_s, sorted(set(times(one)))) for one in found}))"
        )
        found = json.loads(self.stack.manage("shell", "-v0", "-c", code))
        return {name: (every_s, [at_ms / 1000 for at_ms in times]) for name, (every_s, times) in found.items()}

    def shell(self, code: str) -> None:
        """Do what only an administrator can, in a process of its own."""
        imports = (
            "from django.contrib.auth.models import User; from metrics.access.principal import SYSTEM;"
            "from metrics.actions import dashboards;"
            f"from metrics.models import Dashboard; d = Dashboard.objects.get(slug='{SLUG}');"
        )
        self.stack.manage("shell", "-v0", "-c", imports + code)


def shows(page: Page, value: int) -> bool:
    """Whether every number widget shows `value`."""
    number = re.compile(rf'<p class="value"><b data-ems="[\d.]+">{value}<')
    return sum(bool(number.search(html)) for html in page.widgets.values()) == WIDGETS // 2


def nobody_was_held_up(waits_s: list[float]) -> bool:
    """Whether values came as usual. Each was waited for with HELD_UP_S; a burst of other work may delay a few."""
    return statistics.median(waits_s) < USUAL_S


def until_closed(client: ClientConnection) -> tuple[list[str], int]:
    """Return what the server still sent, and the code it closed with; 1006 if it gave none."""
    heard: list[str] = []
    try:
        while True:
            heard.append(str(client.recv(5)))
    except ConnectionClosed as closed:
        return heard, closed.rcvd.code if closed.rcvd else 1006
