"""Someone makes a dashboard and a widget with two queries, by the keyboard, and sees it drawn before and after."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser


def focused(page: Page) -> str:
    """Return the name of the input that has the focus, or the text of the button."""
    found: str = page.evaluate("() => document.activeElement.name || document.activeElement.textContent")
    return found


def test_a_dashboard_is_made_by_the_keyboard(page: Page, system: Stack) -> None:
    someone = Person(page, system)
    someone.sign_in("/")
    page.get_by_role("link", name="Add a dashboard").press("Enter")
    page.get_by_label("Title").fill("By keyboard")
    page.get_by_label("Title").press("Enter")
    page.wait_for_url("**/d/by-keyboard/edit/")
    page.get_by_role("link", name="Add a widget").press("Enter")
    page.get_by_role("link", name="line", exact=True).press("Enter")

    page.get_by_label("Title").fill("Load")
    page.locator("[name=config-queries-0-metric]").fill("host_load")
    someone.mark()
    page.get_by_role("button", name="Add another to Queries").press("Enter")
    expect(page.locator("[name=config-queries-1-metric]")).to_be_focused()
    page.keyboard.type("host_cpu_percent")
    page.get_by_role("button", name="Add one to Expressions").press("Enter")
    expect(page.locator("[name=config-expressions-0-expression]")).to_be_focused()
    page.get_by_role("button", name="Remove Expressions 1").press("Enter")
    expect(page.get_by_role("button", name="Add one to Expressions")).to_be_focused()
    expect(page.locator("[name=config-queries-1-metric]")).to_have_value("host_cpu_percent")

    page.get_by_role("button", name="Preview").press("Enter")
    drawn = page.locator("#preview article.widget-line")
    expect(drawn.get_by_role("heading", name="Load")).to_be_visible()
    assert someone.has_not_reloaded()

    page.get_by_label("Title").press("Enter")  # saves, though buttons of lists come before Save
    page.wait_for_url("**/d/by-keyboard/edit/")
    expect(page.get_by_role("row", name=re.compile("Load line"))).to_be_visible()
    page.get_by_role("link", name="Open", exact=True).press("Enter")
    someone.wait_until_live()
    expect(someone.widget("Load").locator(".legend, figcaption, ul").first).to_contain_text("host_cpu_percent")
    assert someone.complaints == []
