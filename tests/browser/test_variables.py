"""Values are chosen on a dashboard, by keyboard and by touch, and widgets come and go with them."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person

pytestmark = pytest.mark.browser

HOSTS = [f"web-{number}" for number in range(1, 12)]


def spec() -> dict[str, Any]:
    query = {"metric": "variables_load", "labels": {"host": "$host"}}
    return {
        "slug": "machines",
        "title": "Machines",
        "variables": [
            {"name": "host", "label": "host", "metric": "variables_load", "several": True, "all": True},
            {"name": "zone", "values": ["north", "south"]},
        ],
        "widgets": [
            {"key": "bars", "kind": "bars", "title": "Load of $host in $zone", "config": {"queries": [query]}},
            {"key": "each", "kind": "number", "title": "Load", "config": {"queries": [query]}, "repeat": "host"},
        ],
    }


def test_values_are_chosen_and_a_new_one_appears_by_itself(person: Person, push_token: str) -> None:
    page, url = person.page, person.system.url
    admin = person.system.manage("token", "variables", "--scope", "admin").strip()

    def post(path: str, token: str, document: Any) -> None:
        answer = page.request.post(f"{url}/api/v1/{path}", data=document, headers={"Authorization": f"Bearer {token}"})
        assert answer.ok, answer.text()

    def push(*hosts: str) -> None:
        samples = [{"metric": "variables_load", "value": 1, "labels": {"host": host}} for host in hosts]
        post("samples", push_token, {"samples": samples})

    push(*HOSTS)
    post("dashboards", admin, spec())
    person.open("/d/machines/?range=15m")
    person.wait_until_live()
    copies = page.locator("[id^=w-each_]")
    expect(copies).to_have_count(len(HOSTS))

    page.keyboard.press("v")
    filter = page.get_by_label("Filter the values").first
    expect(filter).to_be_focused()
    filter.fill("WEB-1")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?range=15m&var-host=web-1&var-host=web-10$"))
    person.wait_until_live()
    expect(page.locator("#w-bars h2")).to_have_text("Load of web-1, web-10 in north")
    expect(copies.locator("h2")).to_have_text(["Load: web-1", "Load: web-10"])

    zone = page.locator(".variable", has_text="zone")
    zone.locator("summary").click()
    zone.get_by_role("button", name="south").click()
    person.wait_until_live()
    expect(page).to_have_url(re.compile(r"\?range=15m&var-host=web-1&var-host=web-10&var-zone=south$"))
    person.follow(page.get_by_role("link", name="6h"))
    expect(page.locator("#w-bars h2")).to_have_text("Load of web-1, web-10 in south")
    page.keyboard.press("w")
    expect(page.locator(".wall-top")).to_contain_text("web-1, web-10")

    person.open("/d/machines/?var-host=nowhere&range=15m")
    expect(page).to_have_url(f"{url}/d/machines/?range=15m")
    person.wait_until_live()
    expect(copies).to_have_count(len(HOSTS))
    push("web-12")
    expect(copies).to_have_count(len(HOSTS) + 1, timeout=90_000)
    expect(page.locator(".variable-options").first).to_contain_text("web-12")
