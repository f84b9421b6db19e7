"""Someone talks in a room: two tabs, the keyboard, a phone, a connection that breaks, and messages that mean harm."""

import re
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, WebSocketRoute, expect

from tests.browser.person import Person
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

NUMBERS = count(1)
HOSTILE = [
    "<script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">",
    '[x](javascript:alert(1)) ![x](https://tracker.invalid/p.png) "><svg onload=alert(1)>',
    "\u202egnp.exe " + "@ada " * 700,
    "x" * 4000,
    "|a" * 60 + "\n" + "|-" * 60 + "\n" + "|\n" * 1500,
    "> " * 2000,
]


@pytest.fixture(scope="module")
def api(system: Stack) -> Iterator[httpx.Client]:
    token = system.manage("token", "room tests", "--scope", "edit").strip()
    with httpx.Client(base_url=f"{system.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture
def room(api: httpx.Client) -> int:
    answer = api.post("/rooms", json={"title": f"Room {next(NUMBERS)}"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


READ_ALL = """() => fetch('/notifications/read/', {
    method: 'POST',
    body: new URLSearchParams({csrfmiddlewaretoken: document.querySelector('[name=csrfmiddlewaretoken]').value}),
})"""


def say(api: httpx.Client, room: int, *texts: str) -> None:
    for text in texts:
        assert api.post(f"/rooms/{room}/messages", json={"text": text}).status_code == 201


def enter(page: Page, system: Stack, room: int, part: str = "") -> Person:
    person = Person(page, system)
    person.sign_in(f"/rooms/{room}/{part}")
    return person


def write(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


def test_two_tabs_talk_edit_react_answer_and_take_back(context: BrowserContext, system: Stack, room: int) -> None:
    page, other = context.new_page(), context.new_page()
    people = [enter(page, system, room), enter(other, system, room)]
    write(page, "**hello** @adm")
    expect(other.locator("article strong")).to_have_text("hello")
    expect(page.get_by_label("Your message")).to_have_value("")

    page.get_by_label("Your message").press_sequentially("hello @adm")
    expect(page.get_by_role("option", name="admin")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(other.locator(".mention")).to_have_text("@admin")
    expect(other.locator("article").last).to_have_class("message together mine to-me")

    page.keyboard.press("ArrowUp")  # in the field, which is empty: the last one is edited
    page.get_by_label("Your message").fill("changed")
    page.keyboard.press("Enter")
    expect(other.locator("article").last).to_contain_text("changed")
    expect(other.locator("article").last.locator(".edited")).to_have_text("edited")

    log = other.get_by_role("log")  # and now by keyboard alone: to the last message, and through its tools
    log.focus()
    other.keyboard.press("ArrowUp")
    other.keyboard.press("Tab")
    other.keyboard.press("Enter")
    expect(page.locator(".reactions button")).to_have_text("👍 1")
    expect(page.locator(".reactions button")).to_have_attribute("aria-pressed", "true")
    page.locator(".reactions button").click()
    expect(other.locator(".reactions")).to_have_count(0)

    page.locator("article").first.hover()
    page.get_by_role("button", name="Reply").click()
    page.keyboard.type("an answer")
    page.keyboard.press("Enter")
    expect(other.locator(".quoted")).to_contain_text("**hello** @adm")
    other.locator("article").last.hover()
    other.get_by_role("button", name="Delete").click()
    other.get_by_role("button", name="Really delete?").click()
    expect(page.locator("article").last).to_contain_text("This message was deleted.")
    assert [one.complaints for one in people] == [[], []]


def test_what_is_written_while_the_connection_is_down_is_sent_once(
    page: Page, system: Stack, room: int, api: httpx.Client
) -> None:
    is_down = False
    routes: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        if is_down:
            socket.close(code=1012)
        else:
            socket.connect_to_server()
            routes.append(socket)

    page.route_web_socket("**/ws/rooms/**", route)
    enter(page, system, room)
    empty, log = page.locator(".log-empty").bounding_box(), page.locator("#log").bounding_box()
    assert empty
    assert log
    assert (empty["height"] > 100, log["height"] < 2) == (True, True)  # it is the box, and stands below none
    write(page, "before")
    expect(page.locator("article")).to_have_count(1)
    expect(page.locator(".log-empty")).to_be_hidden()
    is_down = True
    routes[-1].close(code=1012)
    expect(page.get_by_text("Connection lost")).to_be_visible()
    write(page, "meanwhile")
    expect(page.get_by_text("Not sent yet")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("meanwhile")
    say(api, room, "from elsewhere")
    assert api.patch(f"/rooms/{room}/messages/2", json={"text": "from elsewhere, changed"}).status_code == 200
    is_down = False
    expect(page.locator("article .text")).to_have_text(
        ["before", "from elsewhere, changed", "meanwhile"], timeout=20_000
    )
    expect(page.get_by_label("Your message")).to_have_value("")
    assert [one["text"] for one in api.get(f"/rooms/{room}/messages").json()["messages"]] == [
        "before",
        "from elsewhere, changed",
        "meanwhile",
    ]


def test_older_ones_come_in_place_and_a_link_leads_to_one(
    page: Page, system: Stack, room: int, api: httpx.Client
) -> None:
    say(api, room, *(f"number {n}" for n in range(1, 121)))
    person = enter(page, system, room)
    expect(page.locator("article")).to_have_count(50)
    expect(page.get_by_text("number 120", exact=True)).to_be_in_viewport()
    place = "document.getElementById('m-72').getBoundingClientRect().top - log.getBoundingClientRect().top"
    page.evaluate("log.scrollTop = 40")
    before = page.evaluate(place)
    expect(page.locator("article")).to_have_count(100)
    assert abs(page.evaluate(place) - before) < 3
    say(api, room, "number 121")
    expect(page.locator("article")).to_have_count(101)
    assert abs(page.evaluate(place) - before) < 3  # what comes does not move who reads elsewhere
    page.get_by_role("button", name="Newest messages").click()
    expect(page.get_by_text("number 121", exact=True)).to_be_in_viewport()

    person.open(f"/rooms/{room}/#m-5")
    expect(page.locator("#m-5")).to_be_focused()
    expect(page.locator("#m-5")).to_be_in_viewport()
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_text("number 121", exact=True)).to_be_in_viewport()
    assert person.complaints == []


def test_a_phone_does_it_by_touch_and_hostile_messages_do_no_harm(
    chromium: Browser, system: Stack, room: int, api: httpx.Client
) -> None:
    say(api, room, *HOSTILE)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    person = enter(page, system, room)
    write(page, "mine")
    page.locator("article").last.get_by_label("What to do with").tap()
    page.get_by_role("button", name="React with another emoji").tap()
    page.get_by_role("textbox", name="Another emoji").fill("🦉")
    page.get_by_role("button", name="React", exact=True).tap()
    expect(page.locator(".reactions button")).to_have_text("🦉 1")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("log.scrollWidth - log.clientWidth") == 0
    assert re.match(r"(\(\d+\) )?Room ", page.title())  # with the count of what is unread, if others were told before
    assert person.complaints == []
    context.close()


def test_two_tabs_are_notified_alike_and_read_together(
    context: BrowserContext, system: Stack, api: httpx.Client
) -> None:
    page, other = context.new_page(), context.new_page()
    people = [Person(page, system), Person(other, system)]
    people[0].sign_in()
    people[0].wait_until_live()
    people[1].open("/heartbeats/")
    other.evaluate(READ_ALL)
    for one in (page, other):
        expect(one.locator("#bell")).to_have_attribute("data-unread", "0")
    assert api.post("/notifications", json={"to": "user:admin", "text": "4.2 is out", "about": "/series/"}).is_success
    for one in (page, other):
        expect(one.locator(".toast")).to_contain_text("4.2 is out")
        expect(one).to_have_title(re.compile(r"^\(1\) "))
        expect(one.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:image/png"))

    page.locator("#bell").focus()
    page.keyboard.press("Enter")
    told = page.locator("#panel li.unread")
    expect(told).to_contain_text("4.2 is out")
    assert api.post("/notifications", json={"to": "user:admin", "text": "4.3 is out", "kind": "deploy"}).is_success
    expect(told).to_have_count(2)
    told.get_by_role("button", name="4.3 is out").click()
    expect(told).to_have_count(1)
    expect(other).to_have_title(re.compile(r"^\(1\) "))
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#bell")).to_be_focused()
    other.locator(".toast", has_text="4.2").get_by_role("link", name="Look").click()
    expect(page.locator("#bell")).to_have_attribute("data-unread", "0")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile(r"svg$"))

    registered = "navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)"
    assert other.evaluate(f"{registered}.then((worker) => worker.scope)") == f"{system.url}/"
    assert [person.complaints for person in people] == [[], []]


def test_a_room_is_closed_and_opened_in_open_pages(page: Page, system: Stack, room: int, api: httpx.Client) -> None:
    say(api, room, "from a program")
    person = enter(page, system, room)
    write(page, "mine")
    field = page.get_by_label("Your message")
    expect(page.locator("article")).to_have_count(2)
    field.fill("half a thou")
    assert api.patch(f"/rooms/{room}", json={"closed": True}).is_success
    expect(page.get_by_text("nobody writes in it any more")).to_be_visible()
    expect(field).to_be_hidden()
    expect(page.get_by_role("log")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete")).to_be_focused()
    expect(page.get_by_role("toolbar").get_by_role("button")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("article").last).to_be_focused()
    assert api.patch(f"/rooms/{room}", json={"closed": False}).is_success
    expect(field).to_have_value("half a thou")
    expect(page.get_by_text("nobody writes in it any more")).to_be_hidden()
    field.press("Enter")
    expect(page.locator("article .text")).to_have_text(["from a program", "mine", "half a thou"])
    assert person.complaints == []


def test_files_are_chosen_dropped_and_pasted_and_shown_to_all(
    context: BrowserContext, system: Stack, room: int
) -> None:
    page, other = context.new_page(), context.new_page()
    people = [enter(page, system, room), enter(other, system, room)]
    attached = page.get_by_role("list", name="Files to send").get_by_role("listitem")
    picture: FilePayload = {"name": "plan.png", "mimeType": "image/png", "buffer": page.screenshot()}
    empty: FilePayload = {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""}
    page.locator("[data-files]").set_input_files([picture, empty])
    expect(page.get_by_text("empty.txt is empty.")).to_be_visible()
    for event, data in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.locator("#text").evaluate(
            """(field, [event, data]) => {
              const transfer = new DataTransfer();
              transfer.items.add(new File(["hello"], `${event}.html`, { type: "text/html" }));
              const made = new Event(event, { bubbles: true, cancelable: true });
              field.dispatchEvent(Object.assign(made, { [data]: transfer }));
            }""",
            [event, data],
        )
    expect(attached).to_have_count(3)
    expect(attached.get_by_role("progressbar")).to_have_count(0)
    page.get_by_role("button", name="Remove paste.html").click()
    expect(attached).to_have_count(2)
    page.keyboard.press("Enter")
    expect(attached).to_have_count(0)
    shown = other.locator("article").last
    expect(shown.get_by_role("img", name="plan.png")).to_have_js_property("complete", value=True)
    expect(shown.get_by_role("img", name="plan.png")).not_to_have_js_property("naturalWidth", value=0)
    with other.expect_download() as download:
        shown.get_by_role("link", name="drop.html").click()
    assert download.value.suggested_filename == "drop.html"
    assert [person.complaints for person in people] == [[], []]
