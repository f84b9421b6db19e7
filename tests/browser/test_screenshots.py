"""The README's pictures: written anew with SCREENSHOTS=1, and otherwise only seen to be possible."""

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import DEMO, WALL, Person, push
from tests.integration.stack import ROOT, Stack

pytestmark = pytest.mark.browser

PICTURES: list[tuple[str, str, dict[str, Any]]] = [
    ("wall-dark", WALL, {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"}),
    ("tab-light", DEMO, {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}),
    ("phone", DEMO, {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True}),
]
TITLES = ("CPU", "Memory", "Network", "In use", "Checks")


def size(picture: bytes) -> tuple[int, int]:
    """Return width and height of a PNG (https://www.w3.org/TR/png-3/#11IHDR)."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


@pytest.mark.parametrize(("name", "path", "options"), PICTURES, ids=[name for name, *_ in PICTURES])
def test_a_picture(
    chromium: Browser, system: Stack, push_token: str, tmp_path: Path, name: str, path: str, options: dict[str, Any]
) -> None:
    for value in (128, 131, 127, 129):
        push(system, push_token, value)
    context = chromium.new_context(**options)
    person = Person(context.new_page(), system)
    person.sign_in(path)
    person.wait_until_live()
    for title in TITLES:
        expect(person.widget(title)).to_have_attribute("data-state", "fresh", timeout=30_000)
    folder = ROOT / "docs" / "images" if os.environ.get("SCREENSHOTS") == "1" else tmp_path
    if folder != tmp_path:
        person.page.wait_for_timeout(90_000)  # lines need a while to be worth a look
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.png"
    file.write_bytes(person.page.screenshot())
    viewport = options["viewport"]
    assert size(file.read_bytes()) == (viewport["width"], viewport["height"])
    assert file.stat().st_size > 15_000
    context.close()
