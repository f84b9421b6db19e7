"""Three people talk beside a dashboard, one of them on a phone, while the web process dies in mid-sentence."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import DEMO, Person
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

SIGN_IN = """
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_user("{name}"))
print(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


@pytest.fixture
def guests(chromium: Browser, system: Stack) -> Iterator[dict[str, Person]]:
    """Grace at a desk, and Linus with a phone."""
    screens = {"grace": (1280, 800), "linus": (390, 844)}
    contexts = {
        name: chromium.new_context(viewport={"width": width, "height": height}, has_touch=width < 400)
        for name, (width, height) in screens.items()
    }
    for name, context in contexts.items():
        cookie, value = system.manage("shell", "-v0", "-c", SIGN_IN.format(name=name)).split()[-2:]
        context.add_cookies([{"name": cookie, "value": value, "url": system.url}])
    yield {name: Person(context.new_page(), system) for name, context in contexts.items()}
    for context in contexts.values():
        context.close()


def write(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


def said(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator("#log article .text").all_inner_texts()]


def test_they_talk_through_the_death_of_the_web_process(person: Person, guests: dict[str, Person]) -> None:
    grace, linus = guests["grace"].page, guests["linus"].page
    for one in guests.values():
        one.open(DEMO)
        one.wait_until_live()
    for page in (person.page, grace):
        page.keyboard.press("c")
    linus.locator("[data-beside]").tap()
    for page in (person.page, grace, linus):
        expect(page.get_by_label("Your message")).to_be_visible()

    write(person.page, "What is this, @grace?")
    expect(grace.locator(".toast")).to_contain_text("What is this")
    expect(linus.locator("#log article")).to_have_count(1)

    grace.get_by_label("Your message").press_sequentially("I am on ")
    person.system.kill("web")
    grace.get_by_label("Your message").press_sequentially("it.")
    grace.keyboard.press("Enter")
    write(linus, "Me, too.")
    for page in (person.page, grace, linus):
        expect(page.locator("#log article")).to_have_count(3, timeout=30_000)
    assert said(person.page) == said(grace) == said(linus)
    assert sorted(said(linus)) == ["I am on it.", "Me, too.", "What is this, @grace?"]

    write(grace, "/show 15m Memory")
    expect(linus.locator(".drawing .value")).to_contain_text("%")
    assert linus.evaluate("document.documentElement.scrollWidth") <= 390

    person.page.locator("a.moment").first.click()
    expect(person.page).to_have_url(re.compile(r"[?&]at=\d+.*&message=1$"))
    expect(person.page.locator("#beside #m-1")).to_be_in_viewport()
    expect(person.widget("Memory").locator(".value")).to_contain_text("%")
    person.page.get_by_role("link", name="Back to now").click()
    person.wait_until_live()
    expect(person.page.locator("#beside").get_by_label("Your message")).to_be_visible()
    assert [
        one.complaints for one in (person, *guests.values()) if any("WebSocket" not in it for it in one.complaints)
    ] == []


def test_escape_closes_what_is_open_and_leads_back(person: Person) -> None:
    person.open(DEMO)
    page = person.page
    button, field = page.locator("[data-beside]"), page.get_by_label("Your message")
    button.focus()
    page.keyboard.press("c")
    expect(field).to_be_focused()
    write(page, "one")
    expect(page.locator("#log article").last).to_contain_text("one")
    page.keyboard.type("@adm")
    names = page.get_by_role("listbox", name="People, teams and commands")
    expect(names).to_be_visible()
    page.keyboard.press("Escape")
    expect(names).to_be_hidden()
    field.fill("")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text("Edit your message")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Edit your message")).to_be_hidden()
    page.get_by_role("log").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="React with another emoji").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="React with another emoji")).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_focused()
    page.keyboard.type("a draft")
    page.keyboard.press("Escape")
    expect(page.locator("#beside")).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("c")
    expect(field).to_be_focused()
    expect(field).to_have_value("a draft")
    page.get_by_role("button", name="Close the room").press("Escape")
    expect(button).to_be_focused()
    assert person.complaints == []


def test_on_a_phone_it_covers_no_dashboard_that_one_comes_to(person: Person) -> None:
    page = person.page
    person.resize(390, 844)
    page.locator("[data-beside]").click()
    expect(page.locator("#beside").get_by_label("Your message")).to_be_visible()
    page.reload()
    expect(page.locator("#beside").get_by_label("Your message")).to_be_visible()
    person.open(DEMO)
    person.wait_until_live()
    expect(page.locator("#beside")).to_be_hidden()
    page.locator(".to-edit").click()
    page.wait_for_url("**/edit/")
