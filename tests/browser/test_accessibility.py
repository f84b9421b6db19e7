"""Every page is tried with axe-core, in the dark and in the light theme: nothing that is serious or critical.

The pages are those of the URL resolver: a new one is tried without being named here.
"""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from metrics.views.urls import urlpatterns
from tests.integration.page import sign_in
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

SLUG = "accessible"
CHANGES = {
    *("account-end-session", "dashboard-arrange", "dashboard-bring-back", "dashboard-places", "dashboard-restore"),
    *("draft-discard", "draft-publish", "draft-redo", "draft-undo", "explore-add", "favourite", "heartbeat-pause"),
    *("invite", "notifications-read", "push-subscribe", "push-unsubscribe", "room-close", "room-direct", "room-files"),
    *("sign-out", "sign-out-everywhere", "source-enable", "source-run", "source-test", "start-page", "token-face"),
    *("alert-acknowledge", "alerts-acknowledge", "incident-answer", "incident-seen"),
    *("dashboard-phone", "dashboard-pictures", "favourite-room", "link-new", "link-revoke"),
    *("channel-test", "token-new", "token-revoke", "watch", "widget-delete", "widget-duplicate", "withdraw"),
    *(
        "escalation-reset",
        "on-call-link",
        "on-call-override",
        "screen-name",
        "screen-pair",
        "silence-end",
        "silence-extend",
        "team-escalation-reset",
    ),
}
"""URLs that only take what changes something."""
NO_PAGES = {
    *("audit-export", "dashboard-export", "metrics", "room-export", "room-file", "room-people", "series-suggest"),
    *(
        "dashboard-picture",
        "link-widget-csv",
        "on-call-calendar",
        "screen-state",
        "service-worker",
        "wall-alerts",
        "widget-csv",
    ),
}
"""URLs of files, of parts of pages, and of what programs read."""
PAGES = [url.name for url in urlpatterns if url.name not in CHANGES | NO_PAGES]
FOR_STRANGERS = {"join", "screen", "sign-in"}
BESIDES = {
    "channel-new": ("?kind=mail",),
    "dashboard": ("?at={at}",),
    "dashboards": ("?q=nothing+is+called+so",),
    "explore": ("?metric=host_cpu_percent&kind=line",),
    "screens": ("?code=BCDF-GHJK",),
    "search": ("?q=cpu",),
    "source-new": ("?kind=http_check",),
    "widget-new": ("?kind=line",),
}
"""Queries with which a page shows something else."""
MORE_OF_IT = ", ".join(f"[id^=w-][id$=-{state}]" for state in ("late", "huge", "tiny", "many", "long"))
"""Tiles of the gallery that have nothing but more of what others have, which takes long."""
BAD = ("serious", "critical")
FAULTS = "(options) => axe.run(options).then((found) => found.violations)"
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
CONTRAST = {**EVERYTHING, "runOnly": ["color-contrast"]}


@pytest.fixture(scope="module")
def client(system: Stack) -> Iterator[httpx.Client]:
    """Somebody who is signed in, without a browser."""
    client = sign_in(system)
    client.headers.update({"X-CSRFToken": client.cookies["csrftoken"], "Referer": system.url})
    client.follow_redirects = False
    yield client
    client.close()


@pytest.fixture(scope="module")
def ids(system: Stack, client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Make what pages are about; yield the ids by what names of URLs have in them."""
    token = system.manage("token", "accessibility tests", "--scope", "admin").strip()

    def api(method: str, path: str, body: Any = None, **more: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", **more}
        answer = httpx.request(method, f"{system.url}/api/v1/{path}", json=body, headers=headers, timeout=60)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def post(path: str, **fields: str) -> httpx.Response:
        answer = client.post(path, data=fields)
        assert answer.status_code == 302, answer.text
        return answer

    query = {"queries": [{"metric": "host_cpu_percent"}]}
    widgets = [
        {"kind": kind, "key": kind, "title": kind.title(), "config": query, "w": 4, "h": 2}
        for kind in ("line", "number", "table", "gauge", "heatmap")
    ]
    made = api("POST", "dashboards", {"slug": SLUG, "title": "Accessible", "widgets": widgets})
    post(f"/d/{SLUG}/widgets/heatmap/delete/", seen="0")  # in a draft, which does not know what changes now
    anew = {"widgets": [{**one, "title": "Anew", "h": 1} for one in widgets]}
    api("PATCH", f"dashboards/{SLUG}", anew, **{"If-Match": f'"{made["revision"]}"'})
    room = api("POST", "rooms", {"title": "Accessible"})["id"]
    api("POST", f"rooms/{room}/messages", {"text": "**Hello** @admin, see `this`\n\n> that\n\n* one\n\n```\ncode\n```"})
    team = post("/access/teams/", name="Accessible").headers["Location"].strip("/").rpartition("/")[2]
    heartbeat = api("POST", "heartbeats", {"name": "Accessible", "every": 60})["id"]
    source = next(one["id"] for one in api("GET", "sources")["sources"] if "purpose" in one["name"])
    address = re.search(r"/link/#([\w.-]+)", client.post(f"/d/{SLUG}/links/new/", data={"name": "Accessible"}).text)
    assert address
    link = client.post("/link/", data={"secret": address[1]}).json()["path"].strip("/").rpartition("/")[2]
    condition = {"kind": "threshold", "above": 1}
    rule = api("POST", "rules", {"name": "Accessible", "query": {"metric": "accessible"}, "condition": condition})["id"]
    api("POST", "samples", {"samples": [{"metric": "accessible", "value": 5}]})
    muted = {"matchers": "accessible=yes", "comment": "Accessible"}
    silence = api("POST", "silences", {**muted, "ends_at": "2999-01-01T00:00:00Z"})["id"]
    window = {"start": "2026-11-30T22:00", "repeat": "FREQ=WEEKLY"}
    maintenance = api("POST", "maintenance", {**muted, **window})["id"]
    annotation = api("POST", "annotations", {"text": "Accessible", "tags": ["accessible"]})["id"]
    layer = {"people": ["admin"], "start": "2026-11-30T09:00"}
    webhook = api("POST", "alert-webhooks", {"name": "Accessible", "mapping": {"name": "a"}})["id"]
    code = re.search(r"[A-Z]{4}-[A-Z]{4}", httpx.get(f"{system.url}/screen/").text)
    assert code
    screen = api("POST", "screens", {"code": code[0], "name": "Accessible", "dashboard": SLUG})["id"]
    schedule = api("POST", "schedules", {"name": "Accessible", "layers": [layer]})["id"]
    until = time.monotonic() + 20
    while not (alerts := [one for one in api("GET", "alerts")["alerts"] if one["rule"] == "Accessible"]):
        assert time.monotonic() < until
        time.sleep(0.2)
    config = {"url": f"{system.url}/nowhere", "secret": "correct horse battery"}
    channel = api("POST", "channels", {"kind": "webhook", "name": "Accessible", "config": config})["id"]
    api("POST", f"channels/{channel}/test")
    while not (incidents := [one for one in api("GET", "incidents")["incidents"] if alerts[0]["id"] in one["alerts"]]):
        assert time.monotonic() < until
        time.sleep(0.2)
    yield {
        "channel": channel,
        "link": int(link),
        "room": room,
        "heartbeat": heartbeat,
        "source": source,
        "team": int(team),
        "user": 1,
        "rule": rule,
        "alert-webhook": webhook,
        "alert": alerts[0]["id"],
        "silence": silence,
        "maintenance": maintenance,
        "annotation": annotation,
        "on-call": schedule,
        "screen": screen,
        "incident": incidents[0]["id"],
    }
    for made_too in (
        f"alert-webhooks/{webhook}",
        f"silences/{silence}",
        f"maintenance/{maintenance}",
        f"annotations/{annotation}",
        f"schedules/{schedule}",
        f"screens/{screen}",
    ):
        api("DELETE", made_too)
    api("DELETE", f"rules/{rule}")
    api("DELETE", f"channels/{channel}")


def path_of(name: str, ids: dict[str, Any]) -> str:
    """Return the path of the URL `name`, about what was made for this."""
    (pattern,) = (url.pattern for url in urlpatterns if url.name == name)
    about = next((id for noun, id in ids.items() if noun in name), 0)
    known = {"slug": SLUG, "key": "line", "id": about, "name": "a", "hash": 64 * "0"}
    return reverse(name, kwargs={word: known[word] for word in pattern.converters})


@pytest.fixture(scope="module")
def context(chromium: Browser, system: Stack, client: httpx.Client, ids: dict[str, Any]) -> Iterator[BrowserContext]:
    """A browser of the one who made all that, and who has opened the link."""
    assert ids
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    cookies = [{"name": one.name, "value": one.value or "", "url": system.url} for one in client.cookies.jar]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    context.add_init_script(AXE_SCRIPT)  # is sent once, not to each page
    context.new_page()
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(context: BrowserContext) -> Page:
    return context.pages[0]


def faults(page: Page, options: dict[str, Any]) -> list[str]:
    """Return what axe finds, a text for each kind of fault with the elements that have it."""
    return [
        f"{one['id']}: " + "; ".join(f"{node['html'][:200]} {node['failureSummary']}" for node in one["nodes"][:4])
        for one in page.evaluate(FAULTS, options)
        if one["impact"] in BAD
    ]


@pytest.mark.parametrize("name", [name for name in PAGES if name not in FOR_STRANGERS])
def test_a_page_has_no_serious_fault(page: Page, system: Stack, ids: dict[str, Any], name: str) -> None:
    _try(page, system, path_of(name, ids), BESIDES.get(name, ()))


FULL = """() => {
  for (const count of document.querySelectorAll(".sections :is(.down, .unread-count)")) {
    count.hidden = false;
    count.innerHTML = count.matches(".down") ? "12 down" : "<b>99+</b>";
  }
  document.querySelector(".who").textContent = "somebody.with.a.long.name";
  document.getElementById("bell").append(Object.assign(document.createElement("b"), {textContent: "99+"}));
  const top = document.querySelector(".top");
  const lines = [...top.querySelectorAll(".brand, .sections > :is(a, button), .account > a")].map((one) => {
    const {top, height} = one.getBoundingClientRect();
    return Math.round((top + height / 2) / 10);
  });
  return [new Set(lines).size, lines.length];
}"""
"""The menu with all that it may say: on how many lines it is, and how many parts of it there are."""


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_the_menu_is_one_line(page: Page, system: Stack, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{system.url}/audit/")
    assert page.evaluate(FULL) == [1, 12]
    page.set_viewport_size({"width": 1280, "height": 800})


BESIDE_MORE = """() => {
  for (const count of document.querySelectorAll(".sections .down")) {
    count.hidden = count.dataset.down === "heartbeats";
    count.textContent = "2 bad";
  }
  document.getElementById("unread").hidden = true;
  const links = [...document.querySelectorAll(".sections > a")].filter((one) => one.checkVisibility());
  const {height} = document.querySelector(".top").getBoundingClientRect();
  return [height < 64, ...links.map((one) => one.textContent)];
}"""
"""The page of a dashboard with two things that are bad: whether its top is one line, and the pages beside More."""


@pytest.mark.parametrize("width", [1280, 1600])
def test_the_top_of_a_dashboard_is_one_line_and_the_other_pages_are_behind_more(
    page: Page, system: Stack, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{system.url}/d/this-machine/")
    assert page.evaluate(BESIDE_MORE) == [True, "Alerts 2 bad", "Sources 2 bad"]
    page.get_by_role("button", name="More").click()
    for name in ("Dashboards", "Rooms", "Series"):
        expect(page.locator("#more").get_by_role("link", name=name)).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})


def test_what_is_less_used_opens_with_the_keyboard(page: Page, system: Stack) -> None:
    page.goto(f"{system.url}/rules/")
    more = page.get_by_role("button", name="More")
    more.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Series"
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Series").is_visible()


@pytest.mark.parametrize("name", sorted(FOR_STRANGERS))
def test_a_page_for_strangers_has_none(chromium: Browser, system: Stack, name: str) -> None:
    page = chromium.new_page(color_scheme="dark")
    page.add_init_script(AXE_SCRIPT)
    _try(page, system, reverse(name))
    page.close()


def _try(page: Page, system: Stack, path: str, besides: tuple[str, ...] = ()) -> None:
    for query in ("", *(one.format(at=int(time.time())) for one in besides)):
        page.emulate_media(color_scheme="dark")
        answer = page.goto(f"{system.url}{path}{query}")
        assert answer
        assert answer.status == 200
        page.evaluate("(more) => document.querySelectorAll(more).forEach((one) => one.remove())", MORE_OF_IT)
        assert faults(page, EVERYTHING) == [], f"{path}{query}, dark"
        page.emulate_media(color_scheme="light")
        assert faults(page, CONTRAST) == [], f"{path}{query}, light"


@pytest.mark.parametrize("name", sorted(CHANGES | NO_PAGES))
def test_what_is_no_page_is_none(client: httpx.Client, ids: dict[str, Any], name: str) -> None:
    answer = client.get(path_of(name, ids))
    if name in CHANGES:
        assert answer.status_code == 405
    else:
        is_shown = answer.status_code == 200 and "attachment" not in answer.headers.get("Content-Disposition", "")
        assert not (is_shown and answer.text.lstrip().lower().startswith("<!doctype html"))


def test_axe_finds_what_it_looks_for(page: Page) -> None:
    page.goto("about:blank")
    page.set_content(
        "<html lang=en><title>a</title><body bgcolor=white><main><h1>a</h1><input><p style='color:#ccc'>pale</p></main>"
    )
    assert [one.partition(":")[0] for one in faults(page, EVERYTHING)] == ["color-contrast", "label"]
