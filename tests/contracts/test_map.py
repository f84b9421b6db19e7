"""docs/map.md is short, knows every folder, and names nothing that is not there."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
MAP = (ROOT / "docs/map.md").read_text()
PATHS = sorted(set(re.findall(r"`([\w/]+/(?:[\w.]+\.(?:py|js|css|html))?)`", MAP)))
MODULES = sorted(
    str(file.relative_to(ROOT))
    for folder in ("dashboard_project", "metrics", "consumers", "tasks")
    for file in (ROOT / folder).rglob("*.py")
    if file.name != "__init__.py" and "migrations" not in file.parts
)


def test_it_is_read_in_one_go() -> None:
    assert len(MAP.splitlines()) < 80


@pytest.mark.parametrize("path", PATHS)
def test_what_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("folder", sorted({module.rpartition("/")[0] for module in MODULES}))
def test_every_folder_has_its_place(folder: str) -> None:
    """A folder that only one noun of another folder needs is told of with that one."""
    assert any(f"{part}/" in PATHS for part in (folder, folder.partition("/commands")[0], folder.rpartition("/")[0]))
