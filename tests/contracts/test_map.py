"""docs/map.md is short, knows every folder, and names nothing that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
MAP = (ROOT / "docs/map.md").read_text()
PATHS = sorted(set(re.findall(r"`([\w/]+/(?:[\w.]+\.(?:py|js|css|html))?)`", MAP)))
FILES = sorted(
    str(file.relative_to(ROOT))
    for folder in ("dashboard_project", "metrics", "consumers", "tasks")
    for file in (ROOT / folder).rglob("*.py")
    if "migrations" not in file.parts
)
PACKAGES = [file for file in FILES if file.endswith("__init__.py")]
MODULES = [file for file in FILES if file not in PACKAGES]


def test_it_is_read_in_one_go() -> None:
    assert len(MAP.splitlines()) < 80


def test_what_is_named_exists() -> None:
    assert [path for path in PATHS if not (ROOT / path).exists()] == []


def test_every_folder_has_its_place() -> None:
    """A folder that only one noun of another folder needs is told of with that one."""
    for folder in sorted({module.rpartition("/")[0] for module in MODULES}):
        places = (folder, folder.partition("/commands")[0], folder.rpartition("/")[0])
        assert any(f"{part}/" in PATHS for part in places), folder


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text())


def test_a_module_says_what_it_is_for() -> None:
    first = {module: (ast.get_docstring(parsed(module)) or "").partition("\n\n")[0] for module in MODULES}
    assert [module for module, sentence in first.items() if not re.search(r"[.:]$", sentence)] == []
