"""A page that stays open while things break: it says so, and is right again without anyone's help."""

import re
import time
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import DEMO, SOON_S, WALL, Person, push
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

NUMBERS = count(2001)
STICKS_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("*")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth)
  .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect().right])"""


@pytest.fixture(autouse=True)
def _mended(system: Stack) -> Iterator[None]:
    yield
    system.wait_until_ready()


def test_redis_dies_and_the_page_is_right_again_within_seconds(person: Person, push_token: str) -> None:
    push(person.system, push_token, next(NUMBERS))
    person.mark()
    before = person.pulse()
    person.system.kill("redis")
    number = next(NUMBERS)
    push(person.system, push_token, number, within_s=10)  # the database takes it, whatever Redis does
    until = time.monotonic() + 10
    while not (person.system.data_dir / "run" / "redis.pid").exists():  # the supervisor waits a second
        assert time.monotonic() < until
        time.sleep(0.05)
    person.expect_number("Orders open", number)
    person.wait_until_live(SOON_S)
    assert person.pulse()["epoch"] != before["epoch"]
    assert person.has_not_reloaded()


def test_redis_dies_twice(person: Person, push_token: str) -> None:
    person.mark()
    for _ in range(2):
        killed = person.system.kill("redis")
        until = time.monotonic() + 15
        while not person.system.is_back("redis", killed):
            assert time.monotonic() < until
            time.sleep(0.05)
        number = next(NUMBERS)
        push(person.system, push_token, number, within_s=10)
        person.expect_number("Orders open", number)
    assert person.has_not_reloaded()


def test_the_web_process_dies_and_the_page_says_so_and_comes_back(person: Person, push_token: str) -> None:
    person.mark()
    person.system.kill("web")
    person.wait_until("reconnecting", "lost")
    number = next(NUMBERS)
    push(person.system, push_token, number, within_s=30)
    person.wait_until_live(SOON_S)
    person.expect_number("Orders open", number)
    assert person.has_not_reloaded()
    expect(person.page.locator("#lost")).to_be_hidden()


def test_the_rendering_worker_dies_and_nothing_is_lost(person: Person, push_token: str) -> None:
    person.system.kill("render")
    number = next(NUMBERS)
    push(person.system, push_token, number)
    person.expect_number("Orders open", number)


def test_a_server_that_hangs_is_unmistakable_within_15_seconds(person: Person) -> None:
    with person.system.hanging("web"):
        began = time.monotonic()
        person.wait_until("lost", within_s=SOON_S)
        assert time.monotonic() - began < 15
        banner = person.page.locator("#lost")
        expect(banner).to_be_visible()
        expect(banner).to_contain_text("Connection lost.")
        expect(banner).to_contain_text("These values are from")
        expect(person.page.locator("#connection")).to_have_text("Connection lost")
    person.wait_until_live(30)
    expect(person.page.locator("#lost")).to_be_hidden()


def test_a_wall_that_lost_its_connection_says_so_too(person: Person) -> None:
    person.open(WALL)
    person.wait_until_live()
    with person.system.hanging("web"):
        expect(person.page.locator("#lost")).to_be_visible()
        box = person.page.locator("#lost").bounding_box()
        assert box is not None
        assert box["width"] > 1000
    person.wait_until_live(30)


def test_values_that_stop_coming_grow_late_though_the_connection_is_fine(person: Person) -> None:
    expect(person.widget("CPU")).to_have_attribute("data-state", "fresh", timeout=30_000)
    with person.system.hanging("collect"):
        expect(person.widget("CPU")).to_have_attribute("data-state", "late")
        expect(person.widget("CPU").locator("[data-freshness]")).to_contain_text("late · ")
        expect(person.widget("CPU")).to_have_attribute("data-state", "stale")
        assert person.state() == "live"
    expect(person.widget("CPU")).to_have_attribute("data-state", "fresh", timeout=60_000)


def test_a_collector_that_stops_is_said_once_on_open_pages_and_only_while_it_lasts(person: Person) -> None:
    wall = Person(person.page.context.new_page(), person.system)
    wall.open(WALL)
    wall.wait_until_live()
    pages = [person, wall]
    for one in pages:
        one.mark()
        expect(one.page.locator("#notice")).to_be_empty()
        assert height(one, "#notice") == 0
    before = height(wall, "#widgets")
    with person.system.hanging("collect"):
        for one in pages:
            notice = one.page.get_by_role("alert").filter(has_text="Collecting stopped ")
            expect(notice).to_have_count(1, timeout=60_000)
            expect(notice).to_contain_text(re.compile(r"at \d\d:\d\d \S+\. .* look at the process collect\."))
        for width, tall in ((1920, 1080), (3840, 2160), (1080, 1920), (390, 844)):
            for one in pages:
                one.page.set_viewport_size({"width": width, "height": tall})
                edges = one.page.evaluate(
                    "() => ['notice', 'widgets'].flatMap((id) => {"
                    " const box = document.getElementById(id).getBoundingClientRect(); return [box.top, box.bottom]; })"
                )
                assert edges == sorted(edges), f"{width}x{tall}: the notice covers widgets"
                assert one.page.evaluate(STICKS_OUT) == [], f"{width}x{tall}"
            if width > 700:
                assert wall.page.evaluate("() => document.documentElement.scrollHeight") <= tall
        loaded = Person(person.page.context.new_page(), person.system)
        for path in (DEMO, "/", "/sources/", "/heartbeats/"):
            loaded.open(path)
            assert loaded.page.inner_html("#notice") == person.page.inner_html("#notice")
        assert loaded.complaints == []
    wall.page.set_viewport_size({"width": 1280, "height": 800})
    for one in pages:
        expect(one.page.locator("#notice")).to_be_empty(timeout=40_000)
        assert one.has_not_reloaded()
        assert one.complaints == []
    assert height(wall, "#widgets") == before


def height(person: Person, selector: str) -> float:
    """Return how tall an element is, in pixels."""
    box = person.page.locator(selector).bounding_box()
    assert box is not None
    return box["height"]


def test_a_network_that_is_cut_is_noticed_and_healed(person: Person, push_token: str) -> None:
    person.mark()
    person.page.context.set_offline(True)
    person.system.kill("web")  # Chromium keeps open sockets open when it is told to be offline
    person.wait_until("reconnecting", "lost", within_s=SOON_S)
    person.system.wait_until_ready()
    number = next(NUMBERS)
    push(person.system, push_token, number, within_s=30)
    person.page.context.set_offline(False)
    person.wait_until_live(2 * SOON_S)
    person.expect_number("Orders open", number)
    assert person.has_not_reloaded()


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_that_is_wrong_changes_nothing(chromium: Browser, system: Stack, push_token: str, minutes: int) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(
        f"const right = Date; const off = {minutes * 60_000};"
        "Date = class extends right { constructor(...a) { super(...(a.length ? a : [right.now() + off])); }"
        " static now() { return right.now() + off; } };"
    )
    person = Person(context.new_page(), system)
    person.sign_in()
    person.wait_until_live()
    off_s = person.page.evaluate("() => Date.now() / 1000") - time.time()
    assert abs(off_s - 60 * minutes) < 5
    number = next(NUMBERS)
    push(system, push_token, number)
    person.expect_number("Orders open", number)
    expect(person.widget("Orders open")).to_have_attribute("data-state", "fresh")
    expect(person.widget("Orders open").locator("[data-freshness]")).to_have_text(re.compile(r"^(now|\d+ s ago)$"))
    expect(person.widget("CPU")).to_have_attribute("data-state", "fresh", timeout=60_000)
    context.close()
