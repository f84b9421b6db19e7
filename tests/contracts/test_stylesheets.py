"""Stylesheets that are on one page together don't speak of each other's classes."""

import re
from pathlib import Path

import pytest
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "static/css"
EVERYWHERE = "talk"
"""Every page has it for people who are signed in."""
OTHERS = sorted(file.stem for file in FOLDER.glob("*.css") if file.stem not in (EVERYWHERE, "print", "export"))


def alone(sheet: str) -> set[str]:
    """Return the classes that `sheet` has a rule for wherever they are."""
    text = re.sub(r"/\*.*?\*/", "", (FOLDER / f"{sheet}.css").read_text(), flags=re.DOTALL)
    selectors = [one.strip() for found in re.findall(r"([^{};]+)\{", text) for one in found.split(",")]
    return {one[1:] for one in selectors if re.fullmatch(r"\.[\w-]+", one)}


def test_rules_are_found() -> None:
    assert {"message", "beside"} <= alone(EVERYWHERE)


@pytest.mark.parametrize("other", OTHERS)
def test_a_class_of_rooms_is_nobody_elses(other: str) -> None:
    assert alone(EVERYWHERE) & alone(other) == set()


TILES = {"widget", "kinds", "counts", "grid", "live", "print", "theme"}
"""Sheets that speak of tiles on purpose."""
PAGES = sorted(file.stem for file in FOLDER.glob("*.css") if file.stem not in TILES)
TEMPLATES = Path(settings.BASE_DIR) / "templates/widgets"


def used(template: Path) -> set[str]:
    """Return the classes of a template, but for those that it makes of values."""
    found = re.findall(r'class="([^"]*)"', template.read_text())
    return {name for text in found for name in re.sub(r"\S*\{[{%].*?[%}]\}\S*", " ", text).split()}


def test_classes_of_tiles_are_found() -> None:
    assert {"curve", "foot"} <= used(TEMPLATES / "number.html")


@pytest.mark.parametrize("sheet", PAGES)
def test_a_class_of_tiles_is_nobody_elses(sheet: str) -> None:
    """Tiles are drawn on other pages, too: where a kind is chosen, and while a widget is edited."""
    tiles = set().union(*(used(template) for template in TEMPLATES.glob("*.html")))
    assert alone(sheet) & tiles <= {"sr"}


SHARED = {
    *("curve", "under", "spark", "mark", "name", "level", "note", "key", "legend", "rule", "value", "more", "summary"),
    *("chart", "time-axis", "value-axis", "room", "empty-range", "ended", "ended-word", "entries"),
}
"""Classes of parts that several kinds have, and that look alike in each."""


def test_a_class_of_one_kind_is_not_styled_in_another() -> None:
    kinds = {template.stem: used(template) for template in TEMPLATES.glob("*.html") if template.stem != "widget"}
    several = {name for name in set().union(*kinds.values()) if sum(name in found for found in kinds.values()) > 1}
    assert alone("kinds") & several <= SHARED
