"""A real Chromium on a real system, started once for all."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.chromium import find_or_install
from tests.browser.person import PORTAL, SERVER_ZONE, Person
from tests.integration.stack import Stack

expect.set_options(timeout=15_000)  # what comes live takes longer where all tests share two cores

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Not for longer: Playwright keeps an event loop running, beside which no other test could run one of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def system() -> Iterator[Stack]:
    """The whole system; what a test breaks in it, it waits for to be mended."""
    with Stack(TIME_ZONE=SERVER_ZONE, EMBED_SITES=PORTAL) as running:
        yield running


@pytest.fixture(scope="package")
def _window(chromium: Browser) -> Iterator[BrowserContext]:
    """One for all, because a new one loads every script and stylesheet anew. A blank page in it stays."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def context(_window: BrowserContext, system: Stack) -> Iterator[BrowserContext]:
    """A browser that was never here, but for what it has in its cache."""
    yield _window
    _window.set_offline(False)  # first all that the next test would suffer from, should a page not close
    _window.clear_cookies()
    _window.clear_permissions()
    blank, *pages = _window.pages
    for page in pages:
        page.close()
    kept = {"origin": system.url, "storageTypes": "local_storage,indexeddb,cache_storage,service_workers"}
    _window.new_cdp_session(blank).send("Storage.clearDataForOrigin", kept)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def person(page: Page, system: Stack) -> Person:
    """Someone who is signed in and looks at the demo, live."""
    person = Person(page, system)
    person.sign_in()
    person.wait_until_live()
    return person


@pytest.fixture(scope="package")
def push_token(system: Stack) -> str:
    return system.manage("token", "browser tests", "--scope", "push").strip()
