"""A test that asks for what is not there gives an id that no sequence reaches, however many tests ran before it."""

import re
from pathlib import Path

from django.conf import settings

TESTS = Path(settings.BASE_DIR) / "tests"
NOT_THERE = re.compile(r"[/=]9{2,6}[/?&\"']")
"""Such as `/rooms/99/`; 987654321 is one that is never there."""


def test_what_is_not_there_never_comes() -> None:
    files = [file for file in TESTS.rglob("*.py") if file != Path(__file__)]
    lines = ((file, number, line) for file in files for number, line in enumerate(file.read_text().splitlines(), 1))
    assert [f"{file}:{number}" for file, number, line in lines if "404" in line and NOT_THERE.search(line)] == []
