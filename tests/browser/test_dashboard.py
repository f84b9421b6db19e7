"""A dashboard in daily use: signing in, looking, choosing, signing out."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from metrics.widgets.annotated import INCIDENT_MARKS_MOST
from tests.browser.person import DEMO, PORTAL, PORTAL_PORT, SERVER_ZONE, SOON_S, WALL, Person, push
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

NUMBERS = count(1001)
GEOMETRY = (Path(__file__).parent / "geometry.js").read_text()
RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"]


def test_signing_in_leads_to_a_page_that_is_live(page: Page, system: Stack) -> None:
    person = Person(page, system)
    person.sign_in_by_form()
    person.wait_until_live()
    expect(person.page.locator("#connection")).to_have_text("Live")
    expect(person.page.locator("#lost")).to_be_hidden()
    assert person.page.locator("article.widget").count() == 13


@pytest.mark.parametrize("script", ["htmx.min", "hx-ws.min", "live", "clock", "freshness"])
def test_it_is_live_in_whatever_order_its_scripts_arrive(page: Page, system: Stack, script: str) -> None:
    """On a slow network any of them may be the last; the socket must be opened, with the version that is shown."""

    def delay(route: Route) -> None:
        time.sleep(0.7)
        route.continue_()

    page.route(re.compile(rf"/{re.escape(script)}\.[0-9a-f]+\.js"), delay)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    person = Person(page, system)
    person.sign_in()
    person.wait_until_live(6)
    assert [bool(re.search(r"&epoch=\w*&version=\d+$", url)) for url in sockets] == [True]


def test_a_wrong_password_is_said(page: Page, system: Stack) -> None:
    page.goto(system.url + "/")
    page.fill("[name=username]", "someone")
    page.fill("[name=password]", "wrong")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")


def test_a_pushed_number_arrives_without_a_reload(person: Person, push_token: str) -> None:
    person.mark()
    for _ in range(3):
        number = next(NUMBERS)
        push(person.system, push_token, number)
        person.expect_number("Orders open", number)
    assert person.has_not_reloaded()


def test_every_widget_gets_data_soon(person: Person) -> None:
    for title in ("CPU", "Memory", "Checks", "In use", "Network"):
        expect(person.widget(title)).to_have_attribute("data-state", "fresh", timeout=30_000)
    expect(person.widget("Checks")).to_contain_text("Fails on purpose")
    expect(person.widget("Checks")).to_contain_text("down")


def test_the_words_of_freshness_follow_the_time(person: Person, push_token: str) -> None:
    push(person.system, push_token, next(NUMBERS))
    words = person.widget("Orders open").locator("[data-freshness]")
    for expected in (r"^(now|1 s ago)$", r"^[34] s ago$", r"^[67] s ago$"):
        expect(words).to_have_text(re.compile(expected))


def test_another_range_is_a_click_away_and_live_too(person: Person, push_token: str) -> None:
    picker = person.page.get_by_role("navigation", name="Range")
    expect(picker.get_by_role("link")).to_have_text(RANGES)
    picker.get_by_role("link", name="6h", exact=True).click()
    person.page.wait_for_url("**/?range=6h")
    expect(picker.locator("[aria-current=true]")).to_have_text("6h")
    person.wait_until_live()
    number = next(NUMBERS)
    push(person.system, push_token, number)
    person.expect_number("Orders open", number)


def test_the_theme_is_kept(person: Person) -> None:
    root, button = person.page.locator("html"), person.page.locator("[data-theme-toggle]")
    before = root.get_attribute("data-theme")
    button.click()
    chosen = root.get_attribute("data-theme")
    assert chosen != before
    person.page.reload()
    expect(root).to_have_attribute("data-theme", chosen or "")


def test_focus_and_what_is_selected_survive_the_next_frame(person: Person, push_token: str) -> None:
    link = person.page.get_by_role("link", name="Wall")
    link.focus()
    number = next(NUMBERS)
    push(person.system, push_token, number)
    person.expect_number("Orders open", number)
    expect(link).to_be_focused()


SCREENS = [(1280, 720), (1920, 1080), (3840, 2160), (1080, 1920), (960, 540), (844, 390)]
"""The last two: a screen of 1920 by 1080 at 200 %, and a phone that lies on its side."""


def misfits(person: Person) -> dict[str, list[str]]:
    """Return what is cut or covered in the widgets of the page, by their titles."""
    found: dict[str, list[str]] = person.page.evaluate(
        f"() => Object.fromEntries([...document.querySelectorAll('article.widget')].map((one) =>"
        f" [one.querySelector('h2').textContent, ({GEOMETRY})(one)]).filter(([, faults]) => faults.length))"
    )
    return found


MISPLACED = """() => {
  const grid = document.getElementById("widgets"), style = getComputedStyle(grid), room = grid.getBoundingClientRect();
  const gap = parseFloat(style.columnGap), column = parseFloat(style.gridTemplateColumns) + gap;
  const left = room.left + parseFloat(style.paddingLeft);
  return [...grid.querySelectorAll("article.widget")].filter((one) => {
    const place = (name) => Number([...one.classList].find((each) => each.startsWith(name)).slice(name.length));
    const [x, w] = [place("x-"), place("w-")];
    const box = one.getBoundingClientRect();
    return Math.abs(box.left - left - x * column) > 2 || Math.abs(box.width - w * column + gap) > 2;
  }).map((one) => one.className);
}"""


def test_each_widget_covers_the_columns_that_its_place_says(page: Page, system: Stack) -> None:
    for path, width in ((WALL, 1920), (WALL, 960), (DEMO, 1440)):
        page.set_viewport_size({"width": width, "height": width * 9 // 16})
        Person(page, system).sign_in(path)
        assert page.evaluate(MISPLACED) == [], f"{path} {width}"


def test_the_wall_fits_its_screen(page: Page, system: Stack) -> None:
    person = Person(page, system)
    for width, height in SCREENS:
        said = f"{width}x{height}"
        page.set_viewport_size({"width": width, "height": height})
        person.sign_in(WALL)
        person.wait_until_live()
        size = page.evaluate("() => { const r = document.documentElement; return [r.scrollWidth, r.scrollHeight]; }")
        assert (size[0] <= width, size[1] <= height) == (True, True), said
        assert misfits(person) == {}, said
        assert page.locator("article.widget h2 a").count() == 13, said
        assert page.evaluate(REACHED) == 0, said
        page.wait_for_function(f"() => !({SEEN})().cut.length")  # while pages turn, some are


REACHED = """() => [...document.querySelectorAll("article.widget h2 a")].filter((one) => one.tabIndex >= 0).length"""
"""How many titles of tiles the keyboard stops at."""


SEEN = """() => {
  const clip = document.getElementById("widgets"), room = clip.getBoundingClientRect();
  const [above, , below] = (clip.style.clipPath.match(/[\\d.]+(?=px)/g) ?? [0, 0, 0]).map(Number);
  const top = room.top + above - 1, bottom = room.bottom - (below ?? above) + 1;
  const tiles = [...document.querySelectorAll("article.widget")].map((one) => [one.id, one.getBoundingClientRect()]);
  return {
    whole: tiles.filter(([, box]) => box.top >= top && box.bottom <= bottom).map(([id]) => id),
    cut: tiles.filter(([, box]) => [top, bottom].some((edge) => box.top < edge - 2 && box.bottom > edge + 2))
      .map(([id]) => id),
  };
}"""


def cut_tiles(person: Person) -> list[str]:
    found: list[str] = person.page.evaluate(SEEN)["cut"]
    return found


def test_a_wall_with_too_many_rows_turns_its_pages(chromium: Browser, system: Stack) -> None:
    config = {"queries": [{"metric": "orders_open"}]}
    widgets = [{"kind": "number", "title": f"N {i}", "config": config, "h": 1 + (i % 7 == 0)} for i in range(60)]
    make_dashboard(system, {"slug": "sixty", "title": "Sixty", "widgets": widgets})
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    person = Person(context.new_page(), system)
    person.sign_in("/wall/sixty/")
    person.wait_until_live()
    pages = person.page.locator("#pages")
    expect(pages).to_have_text(re.compile(r"^Page \d of \d"))
    ids: list[str] = []
    for _ in range(int(pages.inner_text()[-1])):
        assert cut_tiles(person) == []
        ids += person.page.evaluate(SEEN)["whole"]
        before = pages.inner_text()
        pages.click()
        expect(pages).not_to_have_text(before)
    assert len(set(ids)) == 60
    person.open(WALL)
    person.wait_until_live()
    expect(pages).to_be_hidden()
    assert person.complaints == []
    context.close()


def make_dashboard(system: Stack, body: dict[str, Any]) -> None:
    token = system.manage("token", "walls", "--scope", "admin").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{system.url}/api/v1/dashboards"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("path", [DEMO, WALL])
def test_on_paper_all_is_there_dark_on_white_with_its_range_and_time(page: Page, system: Stack, path: str) -> None:
    person = Person(page, system)
    person.sign_in(path + "?theme=dark&range=6h")
    person.wait_until_live()
    page.set_viewport_size({"width": 794, "height": 560})  # A4, and so low that the wall does not fit
    page.emulate_media(media="print", color_scheme="dark")
    seen = page.evaluate("""() => ({
        ground: getComputedStyle(document.body).backgroundColor,
        curve: getComputedStyle(document.documentElement).getPropertyValue("--series-1").trim(),
        cut: getComputedStyle(document.querySelector("#widgets")).overflowY + getComputedStyle(document.body).overflowY,
        beyond: Math.max(...[...document.querySelectorAll("article.widget")].map(
            (one) => one.getBoundingClientRect().bottom + scrollY)) - document.documentElement.scrollHeight,
        scrolling: [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() &&
            /auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1).length,
        pressed: [...document.querySelectorAll("button, .button")].filter((one) => one.checkVisibility()).length,
    })""")
    assert (seen["ground"], seen["curve"], seen["cut"]) == ("rgb(255, 255, 255)", "#1474aa", "visiblevisible")
    assert seen["beyond"] <= 0
    assert (seen["scrolling"], seen["pressed"]) == (0, 0)
    top = page.locator("body > header").inner_text()
    assert re.search(r"\b6h\b", top)
    assert "24h" not in top
    assert re.search(r"\d\d:\d\d\s[^0-9]*" + SERVER_ZONE, top)
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_tab_fits_its_window(person: Person) -> None:
    for width, height in ((1440, 900), (844, 390), (390, 844)):
        person.resize(width, height)
        assert person.page.evaluate("() => document.documentElement.scrollWidth") <= width, f"{width}x{height}"
        assert misfits(person) == {}, f"{width}x{height}"
    # and on a phone none is squeezed
    widths = person.page.locator("article.widget").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().width)"
    )
    assert min(widths) > 150


def test_the_clock_on_a_wall_is_the_server_s_wherever_the_wall_is(chromium: Browser, system: Stack) -> None:
    context = chromium.new_context(timezone_id="America/St_Johns")
    person = Person(context.new_page(), system)
    person.sign_in(WALL)
    assert person.page.evaluate("() => Intl.DateTimeFormat().resolvedOptions().timeZone") == "America/St_Johns"
    assert clock_shows(person, datetime.now(ZoneInfo(SERVER_ZONE)))
    context.close()


def test_a_time_zone_that_the_browser_does_not_know_does_not_stop_the_page(chromium: Browser, system: Stack) -> None:
    context = chromium.new_context(timezone_id="America/St_Johns")
    context.add_init_script(
        "new MutationObserver((_, observer) => {"
        " if (!document.documentElement) return;"
        " document.documentElement.dataset.timeZone = 'Mars/Olympus_Mons'; observer.disconnect();"
        " }).observe(document, { childList: true });"
    )
    person = Person(context.new_page(), system)
    person.sign_in(WALL)
    person.wait_until_live()
    assert person.page.locator("html").get_attribute("data-time-zone") == "Mars/Olympus_Mons"
    assert clock_shows(person, datetime.now(ZoneInfo("America/St_Johns")))
    assert person.complaints == []
    context.close()


def clock_shows(person: Person, now: datetime) -> bool:
    """Whether the wall's clock shows `now`, or the minute that has just begun, or just ended."""
    clock = person.page.locator("[data-clock]")
    expect(clock).to_have_text(re.compile(r"^\d\d:\d\d$"))
    return clock.inner_text() in {f"{now + timedelta(minutes=late):%H:%M}" for late in (-1, 0, 1)}


def test_in_normal_use_nothing_is_complained_of(person: Person, push_token: str) -> None:
    push(person.system, push_token, next(NUMBERS))
    person.open(WALL)
    person.wait_until_live()
    person.open("/")
    person.open(DEMO + "?range=24h")
    person.wait_until_live()
    person.open("/watching/")
    expect(person.page.locator("#watching")).to_contain_text("as of")
    person.page.wait_for_timeout(2500)
    person.open("/api/docs")
    person.page.wait_for_load_state("networkidle")
    assert person.complaints == []


def test_without_javascript_the_values_are_there(chromium: Browser, system: Stack) -> None:
    context = chromium.new_context(java_script_enabled=False)
    person = Person(context.new_page(), system)
    person.sign_in()
    assert "does not follow what happens" in person.page.content()
    assert person.page.locator("article.widget").count() == 13
    context.close()


def test_signing_out_ends_what_is_open_in_the_other_tab(person: Person) -> None:
    other = person.page.context.new_page()
    other.goto(person.system.url + "/")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in/")
    person.wait_until("denied")
    expect(person.page.locator("#lost")).to_be_visible()
    expect(person.page.locator("#lost")).to_contain_text("Sign in again")


def test_signing_out_leads_to_the_way_in(person: Person) -> None:
    person.page.get_by_role("button", name="More").click()
    person.page.get_by_role("button", name="Sign out").click()
    person.page.wait_for_url("**/sign-in/")
    person.open(DEMO)
    person.page.wait_for_url("**/sign-in/?next=**")


def test_forty_frames_leave_nothing_behind_in_the_page(person: Person, push_token: str) -> None:
    widgets = person.page.locator("#widgets")
    before = widgets.evaluate("element => element.childNodes.length")
    for _ in range(40):
        number = next(NUMBERS)
        push(person.system, push_token, number)
    expect(person.widget("Orders open")).to_contain_text(str(number)[-3:])  # thousands are set apart
    assert widgets.evaluate("element => element.childNodes.length") <= before


def test_frames_come_compressed(page: Page, system: Stack, push_token: str) -> None:
    agreed: list[str] = []
    developer = page.context.new_cdp_session(page)
    developer.on("Network.webSocketHandshakeResponseReceived", lambda event: agreed.append(extensions(event)))
    developer.send("Network.enable")
    person = Person(page, system)
    person.sign_in()
    person.wait_until_live()
    for _ in range(3):
        number = next(NUMBERS)
        push(system, push_token, number)
        person.expect_number("Orders open", number)
    assert agreed
    assert all(one.startswith("permessage-deflate") for one in agreed)
    assert person.complaints == []


def extensions(event: dict[str, Any]) -> str:
    headers: dict[str, str] = event["response"]["headers"]
    return {name.lower(): value for name, value in headers.items()}.get("sec-websocket-extensions", "")


def test_keys_do_what_their_sheet_says(person: Person) -> None:
    page = person.page
    page.keyboard.press("?")
    sheet = page.locator("#keys")
    expect(sheet).to_be_visible()
    expect(sheet.get_by_role("row", name="e Edit the dashboard")).to_be_visible()
    expect(sheet.get_by_role("row", name="t Choose the time range")).to_be_visible()
    page.keyboard.press("e")  # the sheet is only read
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("?")
    sheet.get_by_label("Use them in this browser").uncheck()
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()
    page.keyboard.press("t")
    expect(page.locator(".ranges a[aria-current]")).not_to_be_focused()
    page.get_by_role("button", name="Keys").click()
    sheet.get_by_label("Use them in this browser").check()
    page.keyboard.press("Escape")

    page.keyboard.press("t")
    expect(page.locator(".ranges a[aria-current]")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")
    page.keyboard.press("c")
    field = page.get_by_label("Your message")
    expect(field).to_be_focused()
    page.keyboard.press("e")  # what is typed is no key of the page
    expect(field).to_have_value("e")
    page.locator("#beside [data-close]").click()
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("/d/this-machine/edit/$"))

    person.open("/sources/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()


def test_charts_are_read_by_pointer_and_by_keys_while_frames_come(person: Person) -> None:
    """At one moment on all of them, never cut off by the window, and said aloud to those who use keys."""
    page = person.page
    charts = page.locator(".widget .chart")
    charts.first.scroll_into_view_if_needed()
    place = page.locator(".widget .plot").first.bounding_box()
    assert place is not None
    assert page.locator(".hover").count() == 0
    page.mouse.move(place["x"] + 0.98 * place["width"], place["y"] + place["height"] / 2)
    box = page.locator(".hover-active")
    expect(box).to_contain_text(re.compile(r"\d\d:\d\d.*\d"))
    assert page.locator(".hover-line").count() == page.locator(".hover-box").count() > 1
    sides = "all => all.map((one) => one.getBoundingClientRect()).map((box) => [box.left, innerWidth - box.right])"
    assert min(min(one) for one in page.locator(".hover-box").evaluate_all(sides)) >= 0
    version = page.locator("#pulse").get_attribute("data-version") or ""
    expect(page.locator("#pulse")).not_to_have_attribute("data-version", version)
    expect(box).to_be_visible()
    page.mouse.move(2, 2)
    expect(box).to_have_count(0)
    charts.first.focus()
    page.keyboard.press("End")
    said = page.locator("span.sr[role=status]")
    expect(said).to_contain_text(re.compile(r"^(\w+ \d+ \w+ )?\d\d:\d\d"))
    last = said.text_content()
    page.keyboard.press("Shift+ArrowLeft")
    expect(said).not_to_have_text(last or "")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    assert person.complaints == []


def test_an_annotation_is_on_open_charts_at_once_and_read_by_pointer_finger_and_keys(person: Person) -> None:
    page, charts = person.page, person.page.locator(".widget .chart:has(.noted)")
    marks = page.locator(".widget .noted g[data-text*='Shop 4.2 deployed'] circle")
    person.wait_until_live()
    token = person.system.manage("token", "deploys", "--scope", "edit").strip()
    site = httpx.Client(
        base_url=f"{person.system.url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    with site:
        made = site.post("annotations", json={"text": "Shop 4.2 deployed", "at": time.time() - 600}).json()["id"]
        try:
            expect(marks.first).to_be_attached(timeout=SOON_S * 1000)
            charts.first.scroll_into_view_if_needed()
            place = marks.first.bounding_box()
            assert place is not None
            page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 40)
            expect(page.locator(".hover-active .hover-note", has_text="Shop 4.2 deployed")).to_be_visible()
            page.mouse.move(2, 2)
            charts.first.focus()
            said = page.locator("span.sr[role=status]")
            page.keyboard.press("PageUp")
            expect(said).to_have_text(re.compile("Shop 4.2 deployed|Incident"))
            for _ in range(INCIDENT_MARKS_MOST):  # of other tests
                if "Shop 4.2 deployed" not in (said.text_content() or ""):
                    page.keyboard.press("PageUp")
            expect(said).to_contain_text("Shop 4.2 deployed")
            history = {"kind": "history", "title": "Ups", "config": {"queries": [{"metric": "host_cpu_percent"}]}}
            site.post("dashboards", json={"slug": "touched", "title": "Touched", "widgets": [history]})
            page.goto(f"{person.system.url}/d/touched/")
            mark = page.locator(".over-rows .noted > g").filter(has_text="Shop 4.2 deployed")
            at = mark.evaluate("(mark) => ({ clientX: mark.getBoundingClientRect().x - 9, clientY: innerHeight / 4 })")
            for pointer, shown in (("touch", 1), ("mouse", 0)):  # to a mouse the browser shows the title
                page.locator(".history").dispatch_event("pointerdown", {"pointerType": pointer, "bubbles": True, **at})
                expect(page.locator(".hover-note:has-text('Shop 4.2 deployed')")).to_have_count(shown)
        finally:
            site.delete(f"annotations/{made}")
            site.delete("dashboards/touched")
    expect(marks).to_have_count(0, timeout=SOON_S * 1000)
    assert person.complaints == []


def test_a_title_opens_its_widget_alone_and_live(person: Person) -> None:
    """Over the range of the page; what frames bring of other widgets finds no place there, and nothing complains."""
    page = person.page
    page.goto(f"{person.system.url}{DEMO}?range=15m")
    person.wait_until_live()
    page.locator(".widget-line h2 a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/*/?range=15m")
    person.wait_until_live()
    assert page.locator("article.widget").count() == 1
    version = page.locator("#pulse").get_attribute("data-version") or ""
    expect(page.locator("#pulse")).not_to_have_attribute("data-version", version)
    assert page.locator("article.widget").count() == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text().startswith("time,")
    assert person.complaints == []


def test_anything_is_found_by_its_name(person: Person) -> None:
    page = person.page
    field = page.get_by_role("combobox", name="Find anything")
    page.keyboard.press("/")  # there is no search of its own on this page
    expect(field).to_be_focused()
    page.keyboard.type("machine")
    first = page.get_by_role("option", name="This machine").first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(first.get_attribute("id")))
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("sourc")
    page.keyboard.press("Enter")  # before anything was found
    page.wait_for_url("**/sources/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    expect(field).to_be_hidden()
    assert person.complaints == []


@contextmanager
def served(html: str, port: int) -> Iterator[None]:
    """Serve a page, for real: Chromium lets only pages from this machine show others of it."""

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("localhost", port), Portal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_a_link_shows_it_to_whoever_has_it_also_in_a_frame_of_another_site_until_it_is_revoked(
    chromium: Browser, page: Page, system: Stack, push_token: str
) -> None:
    headers = {"Authorization": f"Bearer {system.manage('token', 'links', '--scope', 'admin').strip()}"}
    links = f"{system.url}/api/v1/dashboards/this-machine/links"
    made = page.request.post(links, data={"name": "lobby"}, headers=headers).json()
    visitor = Person(page, system)
    page.goto(made["address"])
    visitor.wait_until_live()
    expect(page).to_have_url(f"{system.url}/link/{made['id']}/")

    html = f"<iframe src='{made['address']}' title='Demo' width='1200' height='700'></iframe>"
    with chromium.new_context() as elsewhere, served(html, PORTAL_PORT):
        portal = elsewhere.new_page()
        portal.goto(f"{PORTAL}/")
        frame = portal.frame_locator("iframe")
        expect(frame.locator("body[data-live=live]")).to_be_attached()
        number = next(NUMBERS)
        push(system, push_token, number)
        digits = re.compile(r"\D?".join(str(number)))
        for shown in (page, frame):
            orders = shown.locator("article.widget", has=shown.get_by_role("heading", name="Orders open", exact=True))
            expect(orders.locator(".value")).to_have_text(digits)
        page.get_by_role("link", name="Orders open").click()
        visitor.wait_until_live()
        expect(page).to_have_url(re.compile(rf"/link/{made['id']}/w/[\w-]+/$"))
        assert visitor.complaints == []

        assert page.request.delete(f"{links}/{made['id']}", headers=headers).status == 204
        for shown in (page, frame):
            expect(shown.get_by_role("heading", name="This link is over")).to_be_visible()
            assert shown.locator("article.widget").count() == 0


def test_a_screen_is_paired_shows_what_is_chosen_says_its_name_and_is_revoked(
    chromium: Browser, person: Person, system: Stack, push_token: str
) -> None:
    desk = person.page
    with chromium.new_context() as display:
        wall = Person(display.new_page(), system)
        wall.open("/screen/")
        code = wall.page.locator(".pairing-code").inner_text()
        person.open(f"/screens/?code={code}")
        desk.get_by_label("Name of the screen").fill("Lobby")
        desk.get_by_role("button", name="Pair it").click()
        expect(wall.page.get_by_role("heading", name="Lobby")).to_be_visible()

        desk.get_by_role("link", name="Change Lobby").click()
        desk.get_by_label("Dashboard").select_option("this-machine")
        desk.get_by_role("button", name="Save").click()
        wall.wait_until_live()
        wall.mark()
        number = next(NUMBERS)
        push(system, push_token, number)
        wall.expect_number("Orders open", number)
        wall.page.get_by_role("link", name="Orders open").dispatch_event("click")  # which leads nowhere

        desk.get_by_role("button", name="Show its name on Lobby").click()
        expect(wall.page.locator("#screen-name")).to_have_text("Lobby")
        assert wall.has_not_reloaded()

        desk.get_by_role("link", name="Change Lobby").click()
        desk.get_by_label("Range").select_option("6h")
        desk.get_by_role("button", name="Save").click()
        expect(wall.page.locator(".wall-top .range")).to_contain_text("6h")
        wall.wait_until_live()
        expect(desk.locator("#screens")).to_contain_text("open now")
        assert wall.complaints == []

        desk.get_by_role("link", name="Revoke Lobby").click()
        desk.get_by_role("button", name="Revoke").click()
        expect(wall.page.locator(".pairing-code")).to_be_visible()
        assert wall.page.locator("article.widget").count() == 0
