"""Someone adds a source, tries it, saves it, sees it run, and is told what is wrong with nonsense."""

import re
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import DEMO, Person
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

NUMBERS = count(1)
SIZES = [(390, 844), (1920, 1080), (3840, 2160)]


@pytest.fixture(scope="module", autouse=True)
def _removed(system: Stack) -> Iterator[None]:
    """Remove sources that were added, which run each second, when these tests are done."""
    headers = {"Authorization": f"Bearer {system.manage('token', 'source tests', '--scope', 'edit').strip()}"}
    with httpx.Client(base_url=f"{system.url}/api/v1/sources", headers=headers, timeout=60) as api:

        def ids() -> set[int]:
            return {one["id"] for one in api.get("").raise_for_status().json()["sources"]}

        before = ids()
        yield
        for added in ids() - before:
            api.delete(f"/{added}").raise_for_status()


@pytest.fixture
def someone(page: Page, system: Stack) -> Person:
    """Someone who is signed in and looks at the sources."""
    someone = Person(page, system)
    someone.sign_in("/sources/")
    return someone


def fill(someone: Person, name: str, url: str) -> None:
    page = someone.page
    someone.follow(page.get_by_role("link", name="http_check"))
    page.get_by_label("Name of the source").fill(name)
    page.get_by_label("Seconds between two runs").fill("1")
    page.get_by_label("URL", exact=True).fill(url)


def test_a_source_is_made_tried_saved_and_seen_to_run(someone: Person) -> None:
    page, name = someone.page, f"own health {next(NUMBERS)}"
    page.get_by_role("link", name="Add a source").click()
    fill(someone, name, f"{someone.system.url}/healthz")
    page.get_by_label("Bearer token").fill("open sesame")
    page.get_by_role("button", name="Test now").click()
    trial = page.locator("#trial")
    expect(trial).to_contain_text("nothing was stored", timeout=20_000)
    expect(trial.get_by_role("row", name=re.compile("http_status"))).to_contain_text("200")
    expect(page.get_by_label("Bearer token")).to_have_value("open sesame")  # trying leaves what was typed

    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/sources/\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    state = page.locator("#state")
    expect(state.locator(".source-status-ok")).to_be_visible()
    expect(state.get_by_role("row", name=re.compile(r"http_status.*200"))).to_be_visible()
    assert "open sesame" not in page.content()

    page.get_by_role("link", name="Sources").last.click()
    expect(page.get_by_role("row", name=re.compile(name))).to_contain_text("ok")
    assert someone.complaints == []


def test_nonsense_gets_sentences_beside_what_was_typed(someone: Person) -> None:
    page = someone.page
    someone.open("/sources/new/?kind=http_check")
    page.get_by_label("Name of the source").fill("nonsense")
    page.get_by_label("By cron").check()
    page.get_by_label("Cron", exact=True).fill("whenever")
    page.get_by_label("URL", exact=True).fill("not an address")
    page.get_by_label("Timeout, seconds").fill("99")
    someone.follow(page.get_by_role("button", name="Save"))
    expect(page.locator(".said-error")).to_contain_text("3 things to put right")
    errors = page.locator(".field-error")
    expect(errors).to_have_text(
        [
            "'whenever' does not have five fields, such as 5 * * * *.",
            "It has to begin with http:// or https:// and name a host.",
            "It has to be 25 or less.",
        ]
    )
    expect(page.get_by_label("URL", exact=True)).to_have_value("not an address")
    expect(page.get_by_label("Seconds between two runs")).to_be_hidden()
    page.get_by_role("button", name="Test now").click()
    expect(page.locator("#trial")).to_contain_text("URL: It has to begin with http:// or https://")
    someone.complaints.clear()  # that an answer was 422 is said in the console


def test_the_list_follows_and_is_searched_while_one_types(someone: Person) -> None:
    page = someone.page
    page.get_by_label("Search sources").press_sequentially("this mach")
    expect(page.locator(".sources tbody tr")).to_have_count(1)
    expect(page.locator(".sources")).to_contain_text("this machine")
    ran = page.locator(".sources [data-label='Last run']")
    words = {ran.inner_text()}
    for _ in range(40):
        page.wait_for_timeout(250)
        words.add(ran.inner_text())
    assert len(words) > 1
    expect(page.get_by_label("Search sources")).to_have_value("this mach")
    page.get_by_label("Search sources").fill("nothing is called so")
    expect(page.locator("#sources")).to_contain_text("No source has")
    assert someone.complaints == []


def test_the_menu_follows_what_is_down(someone: Person) -> None:
    """The demo has a check that fails on purpose; another page turns it off and on."""
    system, window = someone.system, someone.page.context
    people = [someone, Person(window.new_page(), system), Person(window.new_page(), system)]
    for one, path in zip(people, ("/sources/", "/heartbeats/", DEMO), strict=True):
        one.open(path)
        one.mark()
        expect(one.page.locator("#down-sources")).to_have_text("1 down", timeout=30_000)
    other = window.new_page()
    for button, is_down in (("Turn off", False), ("Turn on", True)):
        other.goto(system.url + "/sources/?q=on purpose")
        other.get_by_role("link", name="fails on purpose").click()
        other.get_by_role("button", name=button).click()
        for one in people:
            expect(one.page.locator("#down-sources")).to_be_visible(visible=is_down, timeout=30_000)
    assert all(one.has_not_reloaded() for one in people)
    assert [one.complaints for one in people] == [[], [], []]


def test_a_source_is_turned_off_tried_and_removed(someone: Person) -> None:
    page, name = someone.page, f"to be removed {next(NUMBERS)}"
    someone.open("/sources/new/")
    fill(someone, name, "http://127.0.0.1:9/")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Turn off").click()
    expect(page.locator(".source-status-off")).to_be_visible()
    page.get_by_role("button", name="Test now").click()
    expect(page.locator("#trial")).to_contain_text("Connection refused", timeout=20_000)
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".said-success")).to_have_text(f"{name} was removed.")
    assert someone.complaints == []


def test_it_works_without_javascript(chromium: Browser, system: Stack) -> None:
    context = chromium.new_context(java_script_enabled=False)
    someone = Person(context.new_page(), system)
    someone.sign_in("/sources/new/")
    page, name = someone.page, f"without javascript {next(NUMBERS)}"
    fill(someone, name, f"{system.url}/healthz")
    page.get_by_role("button", name="Test now").click()
    expect(page.locator("#trial")).to_contain_text("nothing was stored")
    expect(page.get_by_label("URL", exact=True)).to_have_value(f"{system.url}/healthz")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.get_by_role("button", name="Test now").click()
    expect(page.locator("#trial")).to_contain_text("nothing was stored")
    context.close()


def test_no_page_is_wider_than_its_screen(someone: Person) -> None:
    page = someone.page
    first = page.locator(".sources tbody a").first.get_attribute("href") or ""
    for path in ("/sources/", first, "/sources/new/", "/sources/new/?kind=http_check", f"{first}delete/"):
        someone.open(path)
        for width, height in SIZES:
            someone.resize(width, height)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width, path
    assert someone.complaints == []


def test_a_page_that_is_not_renewed_says_so(someone: Person) -> None:
    page = someone.page
    with someone.system.hanging("web"):
        banner = page.locator(".said-error")
        expect(banner).to_be_visible(timeout=16_000)
        expect(banner).to_have_text(re.compile(r"The server does not answer. What is shown here is 1\d s old."))
    expect(banner).to_be_hidden(timeout=10_000)
    expect(page.locator(".sources")).to_contain_text("this machine")


def test_who_is_signed_out_elsewhere_is_asked_to_sign_in(someone: Person) -> None:
    other = someone.page.context.new_page()
    other.goto(someone.system.url + "/")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in/")
    someone.page.wait_for_url("**/sign-in/?next=/sources/")
