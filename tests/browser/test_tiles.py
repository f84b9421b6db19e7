"""A tile fits at any size: nothing in it is cut or covered, and what has no room is counted."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import tiles
from tests.browser.tiles import SIZES

pytestmark = pytest.mark.browser

GEOMETRY = (Path(__file__).parent / "geometry.js").read_text()

LOOK = """(check) => Object.fromEntries([...document.querySelectorAll(".box")].map((box) => {
  const tile = box.firstElementChild;
  const size = (one) => { const {width, height} = one.getBoundingClientRect(); return {width, height}; };
  const all = (selector) => [...tile.querySelectorAll(selector)];
  const drawn = (selector) => all(selector).map((one) => size(one.matches(".bars li") ? one.firstChild : one))
    .filter(({width, height}) => width > 0 && height > 0);
  const counted = all("[data-more]").filter(
    (one) => one.firstChild.getClientRects().length && getComputedStyle(one, "::after").content !== "none");
  return [box.id, {
    faults: check(tile),
    astray: all("*:not([tabindex='0'] *)").filter((one) => {
      if (getComputedStyle(one).position !== "absolute") return false;
      const inner = one.getBoundingClientRect(), outer = tile.getBoundingClientRect();
      return inner.right > outer.right || inner.bottom > outer.bottom;
    }).map((one) => one.outerHTML),
    plots: drawn(".plot"),
    bars: drawn(".bars li[data-more]").length,
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
