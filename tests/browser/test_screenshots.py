"""The README's pictures: written anew with SCREENSHOTS=900, and otherwise only seen to be possible.

The number is for how many seconds there are samples before, so that lines are worth a look. Best on a quiet machine.
"""

import math
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import DEMO, WALL, Person, push
from tests.integration.stack import Stack
from tests.migrated import ROOT

HISTORY_S = int(os.environ.get("SCREENSHOTS", "0"))
PUSHED_EVERY_S = 10

pytestmark = [pytest.mark.browser, pytest.mark.timeout(HISTORY_S + 300)]

PICTURES: list[tuple[str, str, dict[str, Any]]] = [
    ("wall-dark", WALL, {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"}),
    ("tab-light", DEMO, {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}),
    ("phone", DEMO, {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True}),
]
TITLES = ("CPU", "Memory", "Orders open", "Network", "In use", "Checks")


def size(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG (https://www.w3.org/TR/png-3/#11IHDR)."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def push_orders(system: Stack, token: str) -> None:
    """Push a number that goes up and down as that of open orders may."""
    now = time.time()
    push(system, token, round(128 + 9 * math.sin(now / 90) + 4 * math.sin(now / 17)))


@pytest.fixture(scope="module")
def history(system: Stack, push_token: str) -> None:
    """Samples for as long as the pictures should show; of the machine itself they come by themselves."""
    until = time.monotonic() + HISTORY_S
    while time.monotonic() < until:
        push_orders(system, push_token)
        time.sleep(PUSHED_EVERY_S)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("name", "path", "options"), PICTURES, ids=[name for name, *_ in PICTURES])
def test_a_picture(
    chromium: Browser, system: Stack, push_token: str, tmp_path: Path, name: str, path: str, options: dict[str, Any]
) -> None:
    for _ in range(3):
        push_orders(system, push_token)
    context = chromium.new_context(**options)
    person = Person(context.new_page(), system)
    person.sign_in(path)
    person.wait_until_live()
    for title in TITLES:
        expect(person.widget(title)).to_have_attribute("data-state", "fresh", timeout=30_000)
    folder = ROOT / "docs" / "images" if HISTORY_S else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.png"
    file.write_bytes(person.page.screenshot())
    viewport = options["viewport"]
    assert size(file.read_bytes()) == (viewport["width"], viewport["height"])
    assert file.stat().st_size > 15_000
    context.close()


@pytest.mark.usefixtures("history")
def test_pictures_of_the_first_dashboard(chromium: Browser, system: Stack, tmp_path: Path) -> None:
    """The way that docs/first-dashboard.md goes, with its pictures."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    person = Person(context.new_page(), system)
    page = person.page
    folder = ROOT / "docs" / "images" if HISTORY_S else tmp_path

    def picture(name: str) -> None:
        file = folder / f"first-{name}.png"
        file.write_bytes(page.screenshot())
        assert size(file.read_bytes()) == (1280, 800)

    person.sign_in("/dashboards/new/")
    page.get_by_label("Title").first.fill("My machine")
    person.follow(page.get_by_role("button", name="Save, and go on to its widgets"))
    for title, kind, metric in (("CPU", "gauge", "host_cpu_percent"), ("Load", "line", "host_load")):
        page.get_by_role("link", name="Add a widget", exact=True).first.click()
        choice = page.locator("#drawer").get_by_role("link", name=kind, exact=True)
        expect(choice).to_be_visible()
        if kind == "gauge":
            picture("kinds")
        choice.click()
        page.locator("[name=config-queries-0-metric]").press_sequentially(metric[:-2])
        option = page.get_by_role("option", name=metric).first
        expect(option).to_be_visible()
        if kind == "line":
            picture("series")
        option.click()
        page.get_by_label("Title").first.fill(title)
        expect(page.locator("#preview").get_by_role("heading", name=title)).to_be_visible()
        page.locator("#drawer").get_by_role("button", name="Save in the draft").last.click()
        expect(page.get_by_role("group", name=title, exact=True)).to_be_visible()
    page.get_by_role("button", name="Fill rows").click()
    expect(page.locator("#tile-load.w-9")).to_be_visible()
    page.get_by_role("group", name="Load", exact=True).hover()
    picture("arranged")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".said-success")).to_contain_text("Published as revision 2.")
    assert person.complaints == []
    context.close()
