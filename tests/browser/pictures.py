"""Pictures of tiles, each shrunk to a few cells of colour, and compared with those of before.

Another font or release of Chromium moves letters a little: a cell may have the colour of any cell around it, and some
may be off. A thing that is gone, pale, cut or doubled has more of them off, or a different amount of ink.
"""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo
from playwright.sync_api import Page

BEFORE = Path(__file__).parent / "gallery.png"
"""All tiles, small, side by side; its text `tiles` has their names in that order."""
WIDTH, HEIGHT = 24, 12
"""Cells of a tile."""
IN_A_ROW = 24
COLOURS_APART, SHARE_APART = 12, 0.2
"""Of 255, in red, green or blue, and of the colours around: what of a cell may differ."""
GROUND_APART = 4
"""Of 255: what is nearer to the ground is no ink."""
OFF_MOST = 0.25
"""Share of the cells with ink that may be off. With other fonts 0.12 are; what is broken has more, or other ink."""
INK_LEAST, INK_MOST = 0.8, 1.45
SCALE = 0.5
"""Pixels of a picture to a pixel of the page: it is shrunk anyway."""
Cells = NDArray[np.int16]
ALONE = """(theme) => {
    document.documentElement.dataset.theme = theme;
    for (const one of document.querySelectorAll("body > :not(main)")) one.hidden = true;
}"""
"""Without what is above, which would move all tiles if it had a line more."""
BOXES = """() => [...document.querySelectorAll(".gallery-tile > .widget")].map((one) => {
    const {left, top, right, bottom} = one.getBoundingClientRect();
    return [one.id, [left + scrollX, top + scrollY, right + scrollX, bottom + scrollY]];
})"""


def small(picture: Image.Image) -> Cells:
    """Return the mean colours of `picture` in HEIGHT rows of WIDTH cells."""
    return np.asarray(picture.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.int16)


def taken(page: Page, theme: str) -> dict[str, Image.Image]:
    """Return the pictures of the tiles of the gallery, by theme and element."""
    page.evaluate(ALONE, theme)
    whole = Image.open(BytesIO(page.screenshot(full_page=True, animations="disabled")))
    found = {}
    for name, box in page.evaluate(BOXES):
        left, top, right, bottom = (round(SCALE * edge) for edge in box)
        found[f"{theme}/{name}"] = whole.crop((left, top, right, bottom))
    return found


def write(tiles: dict[str, Cells]) -> None:
    """Keep `tiles` to compare with."""
    rows = -(-len(tiles) // IN_A_ROW)
    sheet = Image.new("RGB", (IN_A_ROW * WIDTH, rows * HEIGHT))
    for place, cells in enumerate(tiles.values()):
        sheet.paste(Image.fromarray(cells.astype(np.uint8)), (place % IN_A_ROW * WIDTH, place // IN_A_ROW * HEIGHT))
    info = PngInfo()
    info.add_text("tiles", json.dumps(list(tiles)), zip=True)
    sheet.save(BEFORE, pnginfo=info, optimize=True)


def read() -> dict[str, Cells]:
    """Return the tiles that were kept."""
    with Image.open(BEFORE) as sheet:
        assert isinstance(sheet, PngImageFile)
        names = json.loads(sheet.text["tiles"])
        cells = np.asarray(sheet.convert("RGB"), np.int16)
    return {
        name: cells[y : y + HEIGHT, x : x + WIDTH]
        for place, name in enumerate(names)
        for x, y in [(place % IN_A_ROW * WIDTH, place // IN_A_ROW * HEIGHT)]
    }


def difference(now: Cells, before: Cells) -> str:
    """Return in words how `now` differs from `before`; nothing if it does not, or as little as fonts do."""
    ground = _ground(before)
    inked = _off(np.broadcast_to(ground, before.shape), before)
    off = _off(now, before) / max(1, inked)
    ink = _ink(now, ground) / max(1, _ink(before, ground))
    found = []
    if off > OFF_MOST:
        found.append(f"{off:.0%} of its cells are off")
    if not INK_LEAST <= ink <= INK_MOST:
        found.append(f"it has {ink:.0%} of the ink")
    return ", ".join(found)


def _ground(cells: Cells) -> Cells:
    edges = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
    ground: Cells = np.median(edges, axis=0).astype(np.int16)
    return ground


def _ink(cells: Cells, ground: Cells) -> float:
    return float((np.abs(cells - ground) - GROUND_APART).clip(0).sum())


def _off(one: Cells, other: Cells) -> int:
    """Return how many cells of one have a colour that none has around the same place in the other."""
    return int((_beyond(one, other) | _beyond(other, one)).sum())


def _beyond(cells: Cells, others: Cells) -> NDArray[np.bool_]:
    wide = np.pad(others, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.stack([wide[y : y + HEIGHT, x : x + WIDTH] for y in range(3) for x in range(3)])
    low, high = around.min(axis=0), around.max(axis=0)
    apart = COLOURS_APART + (high - low) * SHARE_APART
    found: NDArray[np.bool_] = ((cells < low - apart) | (cells > high + apart)).any(axis=2)
    return found
