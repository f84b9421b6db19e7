"""Two people, one with a phone, and a wall live through one incident, from the first bad value to its review."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import SOON_S, WALL, Person, push
from tests.integration.stack import Stack
from tests.notify.receivers import Hook, hook

pytestmark = pytest.mark.browser

METRIC = "boiler_pressure"
SIGN_IN = """
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_user("mary", is_staff=True))
print(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
"""
SOON_MS = SOON_S * 1000


@pytest.fixture
def mary(chromium: Browser, system: Stack) -> Iterator[Person]:
    """Mary, an editor with a phone."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    cookie, value = system.manage("shell", "-v0", "-c", SIGN_IN).split()[-2:]
    context.add_cookies([{"name": cookie, "value": value, "url": system.url}])
    yield Person(context.new_page(), system)
    context.close()


@pytest.fixture
def outside(system: Stack) -> Iterator[Hook]:
    """A program that hears of incidents, and the rule that makes one."""
    secret = system.manage("token", "incident tests", "--scope", "admin").strip()

    def api(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = httpx.request(method, f"{system.url}/api/v1/{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    condition = {"kind": "threshold", "above": 90, "clear_below": 80}
    rule = {"name": "Boiler", "query": {"metric": METRIC}, "condition": condition, "severity": "critical"}
    made = api("POST", "rules", {**rule, "checklist": ["Open the valve"], "runbook": "https://example.org/boiler"})
    with hook() as receiver:
        config = {"url": f"{receiver.url}/incidents", "secret": "correct horse battery"}
        channel = api("POST", "channels", {"kind": "webhook", "name": "pager", "config": config})
        yield receiver
        api("DELETE", f"channels/{channel['id']}")
    api("DELETE", f"rules/{made['id']}")


def wait_until_told(person: Person, receiver: Hook, state: str) -> None:
    for _ in range(int(SOON_S * 10)):
        if told(receiver)[-1:] and told(receiver)[-1][0] == state:
            return
        person.page.wait_for_timeout(100)


def told(receiver: Hook) -> list[tuple[str, str]]:
    """Return the state and the person of each message about the incident, in the order in which they came."""
    bodies = [json.loads(body) for _, _, body in receiver.got]
    return [(one["state"], one["who"]) for one in bodies if "Boiler" in one["subject"]]


def test_they_live_through_an_incident(person: Person, mary: Person, outside: Hook, push_token: str) -> None:
    wall = Person(person.page.context.new_page(), person.system)
    wall.open(WALL)
    wall.wait_until_live()
    person.open("/alerts/")
    mary.open("/alerts/")

    push(person.system, push_token, 97, METRIC)
    expect(wall.page.locator(".burning")).to_contain_text("Boiler", timeout=SOON_MS)
    expect(person.page.locator("#alerts")).to_contain_text("Boiler", timeout=SOON_MS)
    expect(mary.page.locator(".toast").first).to_contain_text("Boiler", timeout=SOON_MS)

    wait_until_told(person, outside, "firing")  # else that she took it is told with it
    mary.page.locator("#alerts").get_by_role("link", name="Boiler").first.tap()
    mary.page.get_by_role("link", name="Incident", exact=True).tap()
    mary.page.get_by_role("button", name="Acknowledge").tap()
    expect(mary.page.locator("#state")).to_contain_text("mary", timeout=SOON_MS)
    address = mary.page.url.removeprefix(mary.system.url)
    assert mary.page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(person.page.locator("#alerts")).to_contain_text("mary", timeout=SOON_MS)
    expect(wall.page.locator(".burning")).to_contain_text("mary", timeout=SOON_MS)

    person.open(address)
    expect(person.page.locator("#state")).to_contain_text("wall", timeout=SOON_MS)  # it had drawn it
    person.page.get_by_label("Your message").fill("The pump is off, @mary")
    person.page.keyboard.press("Enter")
    expect(mary.page.locator("#log")).to_contain_text("The pump is off", timeout=SOON_MS)
    mary.page.get_by_label("Your message").fill("/done 1")
    mary.page.keyboard.press("Enter")
    expect(person.page.locator(".checklist .done")).to_contain_text("Open the valve", timeout=SOON_MS)
    expect(person.page.locator("#log .drawing svg").first).to_be_attached()

    wait_until_told(person, outside, "update")  # else the end comes before it, and is told alone
    push(person.system, push_token, 20, METRIC)
    expect(person.page.locator("#state")).to_contain_text("resolved", timeout=SOON_MS)
    expect(wall.page.locator(".burning")).to_be_hidden(timeout=SOON_MS)

    until = person.page.get_by_role("link", name="Review")
    until.click()
    expect(person.page.locator("main")).to_contain_text("mary", timeout=SOON_MS)
    wait_until_told(person, outside, "resolved")
    assert [state for state, _ in told(outside)] == ["firing", "update", "resolved"]
    assert told(outside)[1] == ("update", "mary")

    exported = person.page.request.get(f"{person.system.url}{address}review/?format=markdown").text()
    for said in ("Boiler", "mary took it", "The pump is off", "Told through pager"):
        assert said in exported, exported
    assert [one for one in (*person.complaints, *mary.complaints, *wall.complaints) if "WebSocket" not in one] == []
