"""docs/map.md is short, knows every folder, and names nothing that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("path", PATHS)
def test_what_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("folder", sorted({module.rpartition("/")[0] for module in MODULES}))
def test_every_folder_has_its_place(folder: str) -> None:
    """A folder that only one noun of another folder needs is told of with that one."""
    assert any(f"{part}/" in PATHS for part in (folder, folder.partition("/commands")[0], folder.rpartition("/")[0]))


def documented(module: str) -> Iterator[str]:
    """Docstrings of a module, its classes, functions and constants."""
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    said = ast.get_docstring(ast.parse((ROOT / module).read_text())) or ""
    first = said.partition("\n\n")[0]
    assert re.search(r"[.:]$", first), f"{module} has no first sentence"


@pytest.mark.parametrize("module", [*MODULES, *PACKAGES])
def test_no_docstring_begins_with_what_or_who(module: str) -> None:
    """A noun or a verb is understood at first reading, also in a second language."""
    begun = [text for text in documented(module) if re.match(r"\s*(What|Who|Whose)(ever)?\b", text)]
    assert not begun, f"a docstring of {module} begins with What, Who or Whose"
