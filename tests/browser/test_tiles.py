"""A tile fits at any size: nothing in it is cut or covered, and what has no room is counted.

The tiles of the gallery look as before: RENEW=1 keeps how they look now.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from metrics.widgets import gallery
from metrics.widgets.registry import kinds
from tests.browser import pictures, tiles
from tests.browser.person import Person
from tests.browser.tiles import SIZES
from tests.integration.stack import Stack

pytestmark = pytest.mark.browser

GEOMETRY = (Path(__file__).parent / "geometry.js").read_text()

LOOK = """(check) => Object.fromEntries([...document.querySelectorAll(".box")].map((box) => {
  const tile = box.firstElementChild;
  const size = (one) => { const {width, height} = one.getBoundingClientRect(); return {width, height}; };
  const all = (selector) => [...tile.querySelectorAll(selector)];
  const drawn = (selector) => all(selector).map((one) => size(one.matches(".bars li") ? one.firstChild : one))
    .filter(({width, height}) => width > 0 && height > 0);
  const counted = all("[data-more]").filter((one) =>
    (one.matches("li") ? one.firstChild : one).getClientRects().length &&
    getComputedStyle(one, "::after").content !== "none");
  return [box.id, {
    faults: check(tile),
    astray: all("*:not([tabindex='0'] *)").filter((one) => {
      if (getComputedStyle(one).position !== "absolute") return false;
      const inner = one.getBoundingClientRect(), outer = tile.getBoundingClientRect();
      return inner.right > outer.right || inner.bottom > outer.bottom;
    }).map((one) => one.outerHTML),
    plots: drawn(".plot"),
    bars: drawn(".bars li[data-more]").length,
    rows: drawn("tbody > tr:not(.more)").length,
    legend: drawn(".legend li[data-more]").length,
    cells: drawn(".cell:not(.cell-more)"),
    down: drawn(".cell-down"),
    summary: drawn(".summary").length && all(".summary")[0].textContent,
    more: counted.map((one) => Number(one.dataset.more)),
    said: all(".more").filter((one) => one.getClientRects().length).map((one) => one.textContent.trim()),
    value: all(".value b").map((one) => {
      const room = one.parentElement.getBoundingClientRect(), text = one.getBoundingClientRect();
      return Math.max(text.width / room.width, text.height / room.height);
    }),
  }];
}))"""


@pytest.fixture(scope="module")
def seen(chromium: Browser) -> Iterator[dict[str, Any]]:
    """Per id (kind-width-state), what of a tile is seen."""
    page = chromium.new_page(viewport={"width": 1920, "height": 1080})
    page.set_content(tiles.page())
    yield page.evaluate(f"({LOOK})({GEOMETRY})")
    page.close()


@pytest.fixture(scope="module")
def on_wall(chromium: Browser) -> Iterator[dict[str, Any]]:
    """Tables as they are on a wall."""
    page = chromium.new_page(viewport={"width": 1920, "height": 1080})
    page.set_content(tiles.page(kinds=["table"], body="wall"))
    yield page.evaluate(f"({LOOK})({GEOMETRY})")
    page.close()


def of_kind(seen: dict[str, Any], kind: str, *states: str) -> list[tuple[str, Any]]:
    found = [(name, one) for name, one in seen.items() if re.fullmatch(rf"{kind}-\d+-({'|'.join(states)})", name)]
    assert len(found) == len(SIZES) * len(states)
    return found


def test_nothing_is_cut_and_nothing_covers_another(seen: dict[str, Any]) -> None:
    assert len(seen) == len(list(tiles.combinations()))
    assert {name: one["faults"] for name, one in seen.items() if one["faults"]} == {}


def test_words_that_are_only_read_out_do_not_widen_the_page(seen: dict[str, Any]) -> None:
    assert {name: one["astray"] for name, one in seen.items() if one["astray"]} == {}


def test_a_number_fills_its_room(seen: dict[str, Any]) -> None:
    for name, one in of_kind(seen, "number", "one", "late", "many"):
        assert one["value"][0] > 0.7, name


def test_a_line_always_has_its_plot(seen: dict[str, Any]) -> None:
    for name, one in of_kind(seen, "line", "one", "late", "many", "long"):
        height = next(height for width, height in SIZES if name.split("-")[1] == str(width))
        assert one["plots"][0]["height"] > 0.2 * height, name


@pytest.mark.parametrize(("kind", "list_"), [("bars", "bars"), ("line", "legend")])
def test_what_has_no_room_in_a_list_is_counted(seen: dict[str, Any], kind: str, list_: str) -> None:
    for state, total in (("one", 1), ("late", 4), ("many", 30), ("long", 90)):
        for name, one in of_kind(seen, kind, state):
            if kind == "line" and not one["legend"]:
                continue
            said = [int(text.split()[0]) for text in one["said"]]
            assert one[list_] + sum(one["more"]) + sum(said) == total, name
            assert one[list_] >= 1, name


def test_a_table_on_a_wall_has_whole_rows_and_counts_those_that_have_no_room(on_wall: dict[str, Any]) -> None:
    assert {name: one["faults"] for name, one in on_wall.items() if one["faults"]} == {}
    for state, total in (("one", 1), ("late", 4), ("many", 30), ("long", 90)):
        for name, one in of_kind(on_wall, "table", state):
            said = [int(text.split()[0]) for text in one["said"]]
            assert one["rows"] + sum(one["more"]) + sum(said) == total, name
            assert one["rows"] >= 1, name


WORST = """() => [...document.querySelectorAll(".box")].map((box) => {
  const seen = (one) => [one, ...one.children].some((part) => part.getClientRects().length);
  const rows = [...box.querySelectorAll("[data-rank]:not(.more)")].filter(seen).map((one) => one.textContent);
  const said = [...box.querySelectorAll("[data-more]")].filter(seen).map((one) => getComputedStyle(one, "::after"))
    .filter((one) => one.content !== "none");
  return [rows, said.map((one) => one.content)];
})"""


@pytest.mark.parametrize("kind", ["table", "bars", "history"])
def test_what_is_bad_is_left_out_last_and_said(page: Page, kind: str) -> None:
    """20 series in descending order, of which the last are critical, in tiles with more and less room than these."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.set_content(tiles.descending(kind, [200, 450, 1000], bad=8))
    low, middle, high = page.evaluate(WORST)
    bad = {f"row-{number:02}" for number in range(12, 20)}
    names = [set(re.findall(r"row-\d\d", " ".join(rows))) for rows, _ in (low, middle, high)]
    assert len(names[0]) < 8
    assert names[0] < bad
    word = "down" if kind == "history" else "critical"
    assert f"{20 - len(names[0])} more, {8 - len(names[0])} {word}" in low[1][0].replace('" "', "").replace('"', "")
    assert 8 < len(names[1]) < 20
    assert bad < names[1]
    assert f"{20 - len(names[1])} more" in middle[1][0].replace('" "', "").replace('"', "")
    assert (len(names[2]), high[1]) == (20, [])


SCROLLS = """(root) => [root, ...root.querySelectorAll("*")].filter((one) => {
  const {overflowX, overflowY} = getComputedStyle(one);
  return one.checkVisibility() && (
    (/auto|scroll/.test(overflowX) && one.scrollWidth > one.clientWidth + 1) ||
    (/auto|scroll/.test(overflowY) && one.scrollHeight > one.clientHeight + 1));
}).map((one) => one.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("body", ["tab", "wall"])
def test_a_long_heading_pushes_no_figure_out_of_a_table(page: Page, body: str) -> None:
    page.set_content(tiles.headed(["sum by (handler, code) (http_requests_to", "up"], 340, body))
    table, figures = page.locator(".tabular"), page.locator("td.figure")
    assert table.evaluate("one => one.scrollWidth <= one.clientWidth")
    expect(figures).to_have_text(["42", "42"])
    edge = table.bounding_box()
    assert edge
    for one in figures.all():
        box = one.bounding_box()
        assert box
        assert box["x"] + box["width"] <= edge["x"] + edge["width"]


@pytest.mark.parametrize("body", ["tab", "wall"])
def test_on_paper_a_table_and_a_text_are_there_as_a_whole(page: Page, body: str) -> None:
    page.set_viewport_size({"width": 794, "height": 1123})
    page.set_content(tiles.on_paper(body))
    page.emulate_media(media="print")
    main = page.locator("main")
    assert main.evaluate(SCROLLS) == []
    assert main.evaluate(f"(main) => [...main.children].flatMap({GEOMETRY})") == []
    for text in ("row-00", "row-19", "Paragraph 0,", "Paragraph 39,"):
        seen = page.get_by_text(text)
        tile = seen.locator("xpath=ancestor::article")
        [inner, outer] = [one.bounding_box() for one in (seen, tile)]
        assert inner, text
        assert outer, text
        assert outer["y"] <= inner["y"] <= inner["y"] + inner["height"] <= outer["y"] + outer["height"], text


def test_what_is_down_is_always_seen_and_what_is_up_is_seen_or_counted(seen: dict[str, Any]) -> None:
    for state, down, total in (("one", 0, 1), ("late", 1, 4), ("many", 2, 30), ("long", 60, 90)):
        for name, one in of_kind(seen, "status", state):
            assert len(one["down"]) == down, name
            assert all(cell["width"] > 5 and cell["height"] > 2 for cell in one["down"]), name
            assert len(one["cells"]) == total or (down == 0 or f"{down} down" in str(one["summary"])), name


def test_the_check_finds_what_it_looks_for(page: Page) -> None:
    """Text that is cut, that covers other text, that leaves its tile; and not text that went as a whole."""
    page.set_content(
        "<style>.t{position:relative;width:100px;height:60px;font:16px/24px monospace;white-space:nowrap}</style>"
        '<div class="t" id="cut"><p style="overflow:hidden;width:50px;margin:0">much too long</p></div>'
        '<div class="t" id="covered"><p style="position:absolute;margin:0">one</p><p style="margin:0">two</p></div>'
        '<div class="t" id="out">much too long for this</div>'
        '<div class="t" id="fine"><p style="overflow:hidden;height:24px;white-space:normal;margin:0">much too long</p>'
        '</div><div class="t" id="dots"><p style="overflow:hidden;width:50px;text-overflow:ellipsis;margin:0">'
        "much too long</p></div>"
    )
    found = page.evaluate(f"() => [...document.querySelectorAll('.t')].map(({GEOMETRY}))")
    assert [len(one) for one in found] == [1, 1, 1, 0, 0]
    assert ["is cut" in found[0][0], "overlap" in found[1][0], "leaves" in found[2][0]] == [True] * 3


CONTRASTS = """() => {
  const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, place) => sum + [0.2126, 0.7152, 0.0722][place] * one, 0.05);
  const colour = (one) => getComputedStyle(one);
  const drawn = [
    ...[...document.querySelectorAll(".mark:not(.mark-nodata), .freshness-mark")]
      .map((one) => [one, "backgroundColor"]),
    ...[...document.querySelectorAll(".curve, .gauge .fill, .gauge .band")].map((one) => [one, "stroke"]),
    ...[...document.querySelectorAll(".bars .fill")].map((one) => [one, "fill"]),
  ].filter(([one]) => one.checkVisibility());
  document.body.style.color = "Canvas";
  const ground = light(colour(document.body).color);
  return drawn.map(([one, name]) => [one, light(colour(one)[name])])
    .map(([one, found]) => [one.outerHTML.slice(0, 90), Math.max(found, ground) / Math.min(found, ground)]);
}"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_where_the_system_chooses_colours_marks_and_curves_are_still_seen(chromium: Browser, theme: Any) -> None:
    page = chromium.new_page(color_scheme=theme, forced_colors="active")
    page.set_content(tiles.some(["number", "line", "status", "gauge", "bars"], ["late", "stale", "long"]))
    found = page.evaluate(CONTRASTS)
    page.close()
    assert len(found) > 100
    assert [one for one in found if one[1] < 2.5] == []


@pytest.fixture(scope="module")
def taken(chromium: Browser, system: Stack) -> Iterator[tuple[dict[str, Image.Image], dict[str, list[str]]]]:
    """Pictures of the tiles of the gallery, and what is cut or covered in each."""
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, device_scale_factor=pictures.SCALE)
    someone = Person(context.new_page(), system)
    someone.sign_in("/gallery/")
    page = someone.page
    found = pictures.taken(page, "dark") | pictures.taken(page, "light")
    check = "[...document.querySelectorAll('.gallery-tile > .widget')].map((one) => [one.id, check(one)])"
    faults = dict(page.evaluate(f"() => {{ const check = {GEOMETRY}; return {check}; }}"))
    assert someone.complaints == []
    yield found, faults
    context.close()


def test_the_gallery_has_every_kind_in_every_state_and_nothing_is_cut(taken: Any) -> None:
    found, faults = taken
    names = {f"w-{kind}-{state}" for kind in kinds() for state in gallery.states(kind)}
    assert found.keys() == {f"{theme}/{name}" for theme in ("dark", "light") for name in names}
    assert {name: one for name, one in faults.items() if one} == {}


def test_every_tile_looks_as_before(taken: Any) -> None:
    now = {name: pictures.small(picture) for name, picture in taken[0].items()}
    if os.environ.get("RENEW"):
        pictures.write(now)
    before = pictures.read()
    assert pictures.BEFORE.stat().st_size < 200_000
    assert before.keys() == now.keys(), "RENEW=1 keeps how tiles look now."
    found = {name: pictures.difference(now[name], before[name]) for name in now}
    assert {name: one for name, one in found.items() if one} == {}, "Look at /gallery/; RENEW=1 keeps it as it is now."


def _gone(tile: Any, ground: Any) -> Any:
    return np.broadcast_to(ground, tile.shape)


def _pale(tile: Any, ground: Any) -> Any:
    return (tile + ground) / 2


def _cut(tile: Any, ground: Any) -> Any:
    ink = np.abs(tile - ground).sum(axis=(0, 2)).cumsum()
    left = tile.copy()
    left[:, np.searchsorted(ink, ink[-1] / 2) :] = ground  # the right half of what is there
    return left


def _doubled(tile: Any, ground: Any) -> Any:
    moved = np.roll(tile, tile.shape[0] // 3, axis=0)
    is_more = np.abs(moved - ground).sum(2, keepdims=True) > np.abs(tile - ground).sum(2, keepdims=True)
    return np.where(is_more, moved, tile)


@pytest.mark.parametrize("broken", [_gone, _pale, _cut, _doubled])
def test_a_broken_tile_is_found(taken: Any, broken: Callable[[Any, Any], Any]) -> None:
    """Each tile is broken in each of these ways, in its picture."""
    missed = []
    for name, picture in taken[0].items():
        tile = np.asarray(picture.convert("RGB"), np.float32)
        ground = np.median(np.concatenate([tile[4], tile[-4]]), axis=0)
        bad = Image.fromarray(broken(tile, ground).clip(0, 255).astype(np.uint8))
        if not pictures.difference(pictures.small(bad), pictures.small(picture)):
            missed.append(name)
    assert missed == []
