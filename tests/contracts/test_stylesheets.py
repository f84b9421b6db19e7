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
