"""Someone builds a dashboard by the keyboard alone, another by mouse; both publish, and open pages follow."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.person import Person
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

TILE = {"kind": "number", "w": 3, "h": 1}


@pytest.fixture(scope="module")
def api(system: Stack) -> Iterator[httpx.Client]:
    token = system.manage("token", "editor tests", "--scope", "edit").strip()
    with httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        yield client


def made(api: httpx.Client, slug: str) -> None:
    """Make the dashboard `slug` of two numbers side by side."""
    widgets = [
        {**TILE, "key": key, "title": title, "config": {"queries": [{"metric": metric}]}, "x": x, "y": 0}
        for key, title, metric, x in (
            ("cpu", "CPU", "host_cpu_percent", 0),
            ("memory", "Memory", "host_memory_percent", 3),
        )
    ]
    document = {"slug": slug, "title": slug.title(), "widgets": widgets}
    assert api.post("/api/v1/dashboards", json=document).status_code == 201


def places(page: Page) -> dict[str, tuple[int, ...]]:
    """Return columns, rows, width and height of the tiles, as the server has them in the draft."""
    read = "form => [...form.querySelectorAll('[name=key]')].map(key => [key.value, ...['x', 'y', 'w', 'h'].map("
    read += "name => Number(form.elements[`${name}-${key.value}`].value))])"
    page.reload()
    return {key: tuple(place) for key, *place in page.locator(".numbers form").evaluate(read)}


def tile(page: Page, title: str) -> Locator:
    return page.get_by_role("group", name=title, exact=True)


def draft(page: Page) -> Locator:
    return page.locator("#draft-state")


def test_a_dashboard_is_made_by_the_keyboard(page: Page, system: Stack) -> None:
    someone = Person(page, system)
    someone.sign_in("/")
    page.get_by_role("link", name="Add a dashboard").press("Enter")
    page.get_by_label("Title").fill("By keyboard")
    page.get_by_label("Title").press("Enter")
    page.wait_for_url("**/d/by-keyboard/edit/")
    someone.mark()
    page.keyboard.press("a")
    page.get_by_role("link", name="line", exact=True).press("Enter")

    expect(page.get_by_label("Title")).to_be_focused()
    page.get_by_label("Title").fill("Load")
    page.locator("[name=config-queries-0-metric]").fill("host_load")
    page.get_by_role("button", name="Add another to Queries").press("Enter")
    expect(page.locator("[name=config-queries-1-metric]")).to_be_focused()
    page.keyboard.type("host_cpu_percent")
    drawn = page.locator("#preview article.widget-line")
    expect(drawn.get_by_role("heading", name="Load")).to_be_visible()
    expect(drawn.locator(".legend").first).to_contain_text("host_cpu_percent")

    page.get_by_label("Title").press("Enter")  # saves, though buttons of lists come before it
    expect(tile(page, "Load")).to_be_focused()
    expect(draft(page)).to_contain_text("Added Load.")
    page.keyboard.press("Enter")
    expect(page.locator("#spoken")).to_contain_text("Load is held.")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("#spoken")).to_have_text("Load: column 3, row 2, 5 wide, 2 high.")
    page.keyboard.press("Enter")
    expect(page.locator("#spoken")).to_contain_text("Put down.")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#spoken")).to_contain_text("Put back.")
    expect(page.locator("[data-undo]")).to_have_attribute("title", re.compile("Moved Load"))
    assert someone.has_not_reloaded()
    page.emulate_media(media="print")
    assert page.locator("article.widget").evaluate("(one) => one.getBoundingClientRect().height") > 100
    page.emulate_media(media="screen")
    assert places(page) == {"load": (2, 1, 5, 2)}

    page.keyboard.press("p")
    expect(page.locator(".said-success")).to_contain_text("Published as revision 2.")
    page.get_by_role("link", name="Open").press("Enter")
    someone.wait_until_live()
    expect(someone.widget("Load").locator(".legend, figcaption, ul").first).to_contain_text("host_cpu_percent")
    assert someone.complaints == []


def test_tiles_are_dragged_undone_and_published_to_an_open_wall(
    page: Page, context: BrowserContext, system: Stack, api: httpx.Client
) -> None:
    made(api, "dragged")
    someone = Person(page, system)
    someone.sign_in("/d/dragged/edit/")
    wall = Person(context.new_page(), system)
    wall.open("/wall/dragged/")
    wall.wait_until_live()
    wall.mark()
    page.bring_to_front()
    someone.mark()

    before = {"cpu": (0, 0, 3, 1), "memory": (3, 0, 3, 1)}
    cpu = tile(page, "CPU")
    box = cpu.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=8)
    page.mouse.move(box["x"] + 60 + 2 * box["width"], box["y"] + 60, steps=8)
    page.mouse.up()
    expect(draft(page)).to_contain_text("Moved CPU.")
    grip = cpu.locator(".ui-resizable-se").bounding_box()
    assert grip
    page.mouse.move(grip["x"] + 8, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 8, grip["y"] + 8 + box["height"], steps=8)
    page.mouse.up()
    expect(page.locator("[data-undo]")).to_have_attribute("title", re.compile("Moved CPU"))
    page.wait_for_function("() => document.querySelector('#do [name=seen]').value === '3'")
    assert someone.has_not_reloaded()
    assert places(page) == {"cpu": (6, 0, 3, 2), "memory": (3, 0, 3, 1)}  # also after a reload

    page.keyboard.press("Control+z")
    expect(page.locator("[data-redo]")).to_be_enabled()
    assert places(page) == {"cpu": (6, 0, 3, 1), "memory": (3, 0, 3, 1)}
    page.keyboard.press("Control+z")
    expect(draft(page)).to_have_text("As published")
    assert places(page) == before
    page.keyboard.press("Control+Shift+Z")
    expect(draft(page)).to_contain_text("Moved CPU.")

    cpu.hover()
    cpu.get_by_role("button", name="Copy CPU").click()
    expect(tile(page, "CPU")).to_have_count(2)
    tile(page, "Memory").hover()
    page.get_by_role("button", name="Remove Memory").click()
    expect(tile(page, "Memory")).to_have_count(0)
    assert wall.widget("Memory").count() == 1  # nobody sees a draft

    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".said-success")).to_contain_text("Every open page shows it now.")
    expect(wall.widget("Memory")).to_have_count(0)
    expect(wall.widget("CPU")).to_have_count(2)
    expect(wall.page.locator("#w-cpu.x-6")).to_have_count(1)
    assert wall.has_not_reloaded()
    assert someone.complaints == []


def column(page: Page, selector: str) -> list[str]:
    """Return the keys of what stands in the column, as it is seen from above."""
    read = "all => all.filter(one => one.offsetHeight).sort((a, b) => a.offsetTop - b.offsetTop).map(one => one.id)"
    return [str(id).partition("-")[2] for id in page.locator(selector).evaluate_all(read)]


def test_tiles_are_put_in_order_on_a_phone(
    page: Page, context: BrowserContext, system: Stack, api: httpx.Client
) -> None:
    widgets = [
        {**TILE, "w": 6, "kind": "text", "title": title, "config": {"text": "."}, "x": x, "y": y}
        for title, x, y in (("A", 0, 0), ("B", 6, 0), ("C", 0, 1), ("D", 6, 1))
    ]
    assert api.post("/api/v1/dashboards", json={"slug": "phone", "title": "P", "widgets": widgets}).status_code == 201
    someone = Person(page, system)
    someone.sign_in("/d/phone/edit/")
    looks = Person(context.new_page(), system)
    looks.page.set_viewport_size({"width": 390, "height": 844})
    looks.open("/d/phone/")
    looks.wait_until_live()
    assert column(looks.page, "#widgets > .widget") == ["a", "b", "c", "d"]
    looks.mark()
    page.bring_to_front()
    someone.follow(page.get_by_role("link", name="Phone"))
    expect(page.locator(".canvas.phone > .tile")).to_have_count(4)
    someone.mark()

    page.locator("#tile-a").focus()
    for key in ("Enter", "ArrowDown", "ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#spoken")).to_have_text("A: 3 of 4, 2 high.")
    page.keyboard.press("Enter")
    expect(draft(page)).to_contain_text("Changed on phones A, D.")
    source, target = page.locator("#tile-c").bounding_box(), page.locator("#tile-b").bounding_box()
    assert source
    assert target
    page.mouse.move(source["x"] + 60, source["y"] + 90)
    page.mouse.down()
    page.mouse.move(target["x"] + 60, target["y"] + 120, steps=8)
    page.mouse.move(target["x"] + 60, target["y"] + 20, steps=8)
    page.mouse.up()
    expect(draft(page)).to_contain_text("Changed on phones")
    page.wait_for_function("() => document.querySelector('#do [name=seen]').value === '3'")
    page.locator("#tile-b").hover()
    page.get_by_label("Hide B on phones").check()
    expect(page.locator("#tile-b.phone-hidden")).to_have_count(1)
    assert column(page, ".canvas.phone > .tile") == ["c", "b", "a", "d"]
    assert someone.has_not_reloaded()
    assert column(looks.page, "#widgets > .widget") == ["a", "b", "c", "d"]  # nobody sees a draft
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".said-success")).to_contain_text("Published")
    expect(looks.page.locator("#w-b")).to_be_hidden()
    assert column(looks.page, "#widgets > .widget") == ["c", "a", "d"]
    assert looks.has_not_reloaded()
    assert (someone.complaints, looks.complaints) == ([], [])


def test_tiles_are_dragged_by_a_finger(chromium: Browser, system: Stack, api: httpx.Client) -> None:
    made(api, "finger")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    someone = Person(context.new_page(), system)
    someone.sign_in("/d/finger/edit/")
    page = someone.page
    page.wait_for_url("**/edit/?view=phone")  # what one sees on a phone
    grip = tile(page, "Memory").locator("[data-grip]").bounding_box()
    assert grip
    finger = context.new_cdp_session(page)
    path = [(grip["x"] + 20 - step * 33, grip["y"] + 20 - step * 10) for step in range(9)]
    for kind, (x, y) in zip(["touchStart", *["touchMove"] * 8], path, strict=True):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(draft(page)).to_contain_text("Changed on phones")
    page.get_by_role("button", name="Undo").press("Enter")  # a tap might still be taken for one that ends a fling
    expect(draft(page)).to_have_text("As published")
    assert [one.get_attribute("data-key") for one in page.locator(".tile").all()] == ["cpu", "memory"]
    assert someone.complaints == []
    context.close()


def test_a_revision_is_restored_and_what_others_publish_is_merged(page: Page, system: Stack, api: httpx.Client) -> None:
    made(api, "shared")
    api.patch("/api/v1/dashboards/shared", json={"title": "Wrong"}, headers={"If-Match": '"1"'})
    someone = Person(page, system)
    someone.sign_in("/d/shared/edit/")
    page.get_by_role("link", name="Revisions").click()
    page.get_by_role("button", name="Restore revision 1").click()
    expect(page.get_by_role("heading", name="Shared")).to_be_visible()

    widgets = {"widgets": [{**TILE, "key": "new", "title": "New", "config": {"queries": [{"metric": "host_load"}]}}]}
    assert api.patch("/api/v1/dashboards/shared", json=widgets, headers={"If-Match": '"2"'}).status_code == 200
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/d/shared/merge/")
    row = page.get_by_role("row", name=re.compile("The title of the dashboard"))
    expect(row.get_by_label("mine")).to_be_checked()
    page.get_by_role("row", name=re.compile("CPU")).get_by_label("mine").check()
    page.get_by_role("button", name="Merge into my draft").click()
    expect(tile(page, "CPU")).to_be_visible()
    expect(tile(page, "New")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".said-success")).to_contain_text("Published as revision 4.")
    found = api.get("/api/v1/dashboards/shared").json()
    assert found["title"] == "Shared"
    assert {one["key"] for one in found["widgets"]} == {"cpu", "new"}
    assert someone.complaints == []


def test_a_section_folds_and_stays_folded(page: Page, system: Stack, api: httpx.Client) -> None:
    def number(title: str, y: int) -> dict[str, object]:
        return {**TILE, "title": title, "config": {"queries": [{"metric": "host_load"}]}, "x": 0, "y": y}

    def section(title: str, y: int, **config: bool) -> dict[str, object]:
        return {"kind": "section", "title": title, "config": config, "x": 0, "y": y, "w": 12, "h": 1}

    widgets = [section("Web", 0), number("Up", 1), section("Old", 2, folded=True), number("Gone", 3), section("Db", 4)]
    document = {"slug": "sections", "title": "Sections", "widgets": [*widgets, number("Rows", 5)]}
    assert api.post("/api/v1/dashboards", json=document).status_code == 201
    someone = Person(page, system)
    someone.sign_in("/d/sections/")
    someone.wait_until_live()
    headings = [page.get_by_role("heading", name=name, exact=True) for name in ("Web", "Old", "Db")]
    tops = [box["y"] for heading in headings if (box := heading.bounding_box())]
    assert 150 < tops[1] - tops[0] < 260  # a row, and no row for the heading
    assert 20 < tops[2] - tops[1] < 60  # folded: nothing between them
    expect(someone.widget("Gone")).to_be_hidden()
    page.get_by_role("button", name="Old", exact=True).press("Enter")
    expect(someone.widget("Gone")).to_be_visible()
    page.get_by_role("button", name="Web", exact=True).click()
    expect(someone.widget("Up")).to_be_hidden()
    page.reload()
    someone.wait_until_live()
    expect(someone.widget("Up")).to_be_hidden()
    expect(someone.widget("Rows")).to_be_visible()
    assert someone.complaints == []


def test_a_metric_is_found_by_typing_and_chosen_by_keys_or_mouse(page: Page, system: Stack, api: httpx.Client) -> None:
    made(api, "suggested")
    someone = Person(page, system)
    someone.sign_in("/d/suggested/edit/")
    someone.mark()
    page.keyboard.press("a")
    page.get_by_role("link", name="line", exact=True).click()
    metric, options = page.locator("[name=config-queries-0-metric]"), page.locator(".suggestions [role=option]")
    metric.focus()
    page.keyboard.type("machine cpu percent")
    expect(options.first).to_contain_text("host_cpu_percent")
    expect(metric).to_have_attribute("aria-expanded", "true")
    box, screen = page.locator(".suggestions").bounding_box(), page.viewport_size
    assert box
    assert screen
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= screen["width"]
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(page.locator("#drawer")).to_be_visible()

    page.keyboard.press("ArrowDown")
    expect(options.first).to_contain_text("host_cpu_percent")
    page.keyboard.press("ArrowDown")
    expect(metric).to_have_attribute("aria-activedescendant", "suggestion-1")
    page.keyboard.press("Enter")  # takes it, and does not send the form
    expect(metric).to_have_value("host_cpu_percent")
    expect(page.get_by_label("Title")).to_have_value("Host cpu")
    expect(page.locator("#preview article .legend").first).to_contain_text("host_cpu_percent")

    metric.fill("disk /")
    options.first.click()
    expect(page.locator("[name=config-queries-0-labels]")).to_have_value("mount: /")
    expect(page.get_by_label("Title")).to_have_value("Host cpu")
    assert someone.has_not_reloaded()
    assert someone.complaints == []


def test_tiles_are_selected_and_aligned(page: Page, system: Stack, api: httpx.Client) -> None:
    widgets = [
        {"kind": "text", "key": key.lower(), "title": key, "config": {"text": "."}, "x": x, "y": y, "w": w, "h": h}
        for key, x, y, w, h in (("A", 1, 0, 3, 1), ("B", 5, 1, 2, 2), ("C", 8, 3, 2, 1), ("D", 1, 1, 2, 1))
    ]
    assert api.post("/api/v1/dashboards", json={"slug": "align", "title": "A", "widgets": widgets}).status_code == 201
    someone = Person(page, system)
    someone.sign_in("/d/align/edit/")
    someone.mark()
    spoken = page.locator("#spoken")
    for key in ("a", "b"):
        page.locator(f"#tile-{key}").click(modifiers=["Shift"])
    expect(spoken).to_have_text("B selected, 2 in all.")
    page.get_by_role("button", name="Left", exact=True).click()
    expect(spoken).to_have_text("2 tiles: left edges in line.")
    expect(draft(page)).to_contain_text("Moved B, D.")  # D stood where B came

    page.locator("#tile-a").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar")).to_be_hidden()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(spoken).to_have_text("B selected, 2 in all.")
    expect(page.locator("#tile-b")).to_be_focused()
    page.keyboard.press("l")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Bottom", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(spoken).to_have_text("They would cover each other.")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(spoken).to_have_text("2 tiles: as wide as the first.")
    page.wait_for_function("() => document.querySelector('#do [name=seen]').value === '3'")
    assert someone.has_not_reloaded()
    assert places(page) == {"a": (1, 0, 3, 1), "b": (1, 1, 3, 2), "c": (8, 3, 2, 1), "d": (1, 3, 2, 1)}
    page.keyboard.press("Control+z")
    expect(page.locator("[data-redo]")).to_be_enabled()
    page.keyboard.press("Control+z")  # one step each
    expect(draft(page)).to_have_text("As published")
    assert someone.complaints == []


def test_tiles_are_selected_by_a_finger(chromium: Browser, system: Stack, api: httpx.Client) -> None:
    made(api, "pressed")
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    someone = Person(context.new_page(), system)
    someone.sign_in("/d/pressed/edit/")
    page = someone.page
    box = tile(page, "CPU").bounding_box()
    assert box
    finger = context.new_cdp_session(page)
    at = {"x": box["x"] + 60, "y": box["y"] + 90}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(page.locator("#tile-cpu.selected")).to_have_count(1)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    tile(page, "Memory").tap(position={"x": 60, "y": 90})
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    expect(page.locator(".tile.selected")).to_have_count(2)
    page.get_by_role("button", name="Clear").tap()
    expect(page.locator(".tile.selected")).to_have_count(0)
    assert someone.complaints == []
    context.close()


def test_a_phone_that_lies_shows_titles_and_forms(chromium: Browser, system: Stack, api: httpx.Client) -> None:
    """Neither the tools of a tile cover its title, nor the bar the tiles, nor a preview that is high the form."""
    made(api, "lies")
    api.patch(
        "/api/v1/dashboards/lies",
        json={
            "widgets": [
                {
                    **TILE,
                    "key": "cpu",
                    "title": "CPU",
                    "config": {"queries": [{"metric": "host_cpu_percent"}]},
                    "x": 0,
                    "y": 0,
                    "h": 6,
                }
            ]
        },
        headers={"If-Match": '"1"'},
    )
    context = chromium.new_context(viewport={"width": 844, "height": 390}, has_touch=True, is_mobile=True)
    someone = Person(context.new_page(), system)
    someone.sign_in("/d/lies/edit/")
    page = someone.page
    expect(tile(page, "CPU").get_by_role("heading", name="CPU")).to_be_visible()
    edit = page.get_by_role("link", name="Edit CPU")
    expect(edit).to_be_hidden()
    tile(page, "CPU").tap(position={"x": 40, "y": 22})  # where Edit appears now
    expect(edit).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()
    edit.tap()
    field = page.get_by_label("Title")
    expect(field).to_be_visible()
    expect(page.locator("#preview .widget")).to_be_visible()
    page.locator("#drawer-body").evaluate("body => body.scrollTop = body.scrollHeight")
    page.get_by_role("button", name="Save in the draft").last.tap()
    expect(page.locator("#drawer")).to_be_hidden()
    page.mouse.wheel(0, 400)
    page.wait_for_function("() => scrollY > 300")
    bar = page.locator(".editor-bar").bounding_box()
    assert bar
    assert bar["y"] + bar["height"] < 0
    assert someone.complaints == []
    context.close()


def test_a_preview_leaves_half_of_the_drawer_to_its_form(page: Page, system: Stack, api: httpx.Client) -> None:
    widget = {
        **TILE,
        "key": "cpu",
        "title": "CPU",
        "config": {"queries": [{"metric": "host_cpu_percent"}]},
        "x": 0,
        "y": 0,
        "h": 8,
    }
    assert (
        api.post("/api/v1/dashboards", json={"slug": "high", "title": "High", "widgets": [widget]}).status_code == 201
    )
    page.set_viewport_size({"width": 1280, "height": 800})
    someone = Person(page, system)
    someone.sign_in("/d/high/edit/")
    tile(page, "CPU").hover()
    page.get_by_role("link", name="Edit CPU").click()
    shown = page.locator("#preview .widget").bounding_box()
    assert shown
    assert shown["height"] <= 400
    assert someone.complaints == []
