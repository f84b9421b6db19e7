"""Actions of a person on a dashboard, and what they see."""

import json
import re
import time
import urllib.request
from collections.abc import Iterable
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.integration.page import sign_in
from tests.integration.stack import Stack, free_port

DEMO = "/d/this-machine/"
WALL = "/wall/this-machine/"
SERVER_ZONE = "Asia/Kathmandu"
"""Five hours and three quarters ahead of UTC: what is taken for another zone shows."""
PORTAL_PORT = free_port()
PORTAL = f"http://localhost:{PORTAL_PORT}"
"""Another site, to a browser, than 127.0.0.1. It may show links in frames; nothing listens there yet."""

SOON_S = 60.0
"""A second, where nothing else runs; `make bench` measures it."""

_sessions: dict[str, dict[str, str]] = {}


def _session(system: Stack) -> Iterable[tuple[str, str]]:
    """Return the cookies of a session, the same until somebody ends it."""
    cookies = _sessions.get(system.url, {})
    if not cookies or httpx.get(f"{system.url}/account/", cookies=cookies, timeout=60).status_code != 200:
        client = sign_in(system)
        _sessions[system.url] = cookies = dict(client.cookies)
        client.close()
    return cookies.items()


class Person:
    """Looks at `page`. Everything its console complains of, and every breach of the policy, is in `complaints`."""

    def __init__(self, page: Page, system: Stack) -> None:
        self.page = page
        self.system = system
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def sign_in(self, path: str = DEMO) -> None:
        """Come with a session that began elsewhere: the form is slow, and seen once."""
        cookies = [{"name": name, "value": value, "url": self.system.url} for name, value in _session(self.system)]
        self.page.context.add_cookies(cookies)  # type: ignore[arg-type]
        self.open(path)

    def sign_in_by_form(self, path: str = DEMO) -> None:
        self.page.goto(self.system.url + path)
        self.page.fill("[name=username]", "admin")
        self.page.fill("[name=password]", self.system.password)
        self.page.click("button[type=submit]:has-text('Sign in')")
        self.page.wait_for_url(f"**{path}")

    def resize(self, width: int, height: int) -> None:
        """Make the window so large, and wait until the page is drawn in it."""
        self.page.set_viewport_size({"width": width, "height": height})
        frame = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        self.page.evaluate(f"async () => {{ await {frame}; }}")

    def open(self, path: str) -> None:
        self.page.goto(self.system.url + path)

    def follow(self, leads_on: Locator) -> None:
        """Click what leads to another page, and wait until its scripts have run: a click sooner goes without them."""
        with self.page.expect_navigation():
            leads_on.click()

    def state(self) -> str:
        """Return what the page says of its connection."""
        return self.page.get_attribute("body", "data-live") or ""

    def wait_until(self, *states: str, within_s: float = 15) -> None:
        selector = ", ".join(f"body[data-live={state}]" for state in states)
        self.page.wait_for_selector(selector, timeout=within_s * 1000, state="attached")

    def wait_until_live(self, within_s: float = 15) -> None:
        self.wait_until("live", within_s=within_s)

    def pulse(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate("() => ({...document.getElementById('pulse').dataset})")
        return found

    def widget(self, title: str) -> Any:
        return self.page.locator("article.widget", has=self.page.get_by_role("heading", name=title, exact=True))

    def expect_number(self, title: str, number: int, within_s: float = SOON_S) -> None:
        """Wait for the widget to show `number`, however its thousands are spaced."""
        digits = r"\D?".join(str(number))
        expect(self.widget(title).locator(".value")).to_have_text(
            re.compile(rf"^\s*{digits}\s*$"), timeout=within_s * 1000
        )

    def mark(self) -> None:
        """Leave a mark that a reload would wipe away."""
        self.page.evaluate("() => { window.notReloaded = true; }")

    def has_not_reloaded(self) -> bool:
        return bool(self.page.evaluate("() => window.notReloaded === true"))


def push(system: Stack, token: str, value: float, metric: str = "orders_open", within_s: float = 0) -> None:
    """Push one number; while the system comes back, as often as a program would that retries."""
    body = json.dumps({"samples": [{"metric": metric, "value": value}]}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    until = time.monotonic() + within_s
    while True:
        try:
            request = urllib.request.Request(f"{system.url}/api/v1/samples", body, headers)
            with urllib.request.urlopen(request, timeout=60) as response:
                assert response.status == 202
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
