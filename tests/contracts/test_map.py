"""docs/map.md knows every module, and names none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from metrics.sources import registry as sources
from metrics.widgets import registry as widgets

ROOT = Path(settings.BASE_DIR)
MAP = (ROOT / "docs/map.md").read_text()
FORMATS = {"collectd", "influx", "json_samples", "opentsdb", "otlp", "pushgateway", "remote_write", "statsd"}
NAMED = {
    path for cell in re.findall(r"`([^`\n]+)`", MAP) for path in re.findall(r"^[\w/-]+\.(?:py|js|css|html)$", cell)
}


def modules() -> Iterator[str]:
    for folder in ("dashboard_project", "metrics", "consumers", "tasks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.name != "__init__.py" and "migrations" not in file.parts:
                yield str(file.relative_to(ROOT))


def rows() -> dict[str, str]:
    """What the map's rows about folders say, by folder."""
    return dict(re.findall(r"^\| `([\w/]+/)` \| (.+) \|$", MAP.partition("## What else")[2], re.M))


def is_described_elsewhere(module: str) -> bool:
    folder, _, name = module.removesuffix(".py").rpartition("/")
    kinds = {"metrics/sources": {*sources.kinds()}, "metrics/widgets": {*widgets.kinds()}, "metrics/ingest": FORMATS}
    return name in kinds.get(folder, set())


@pytest.mark.parametrize("module", list(modules()))
def test_every_module_has_its_place(module: str) -> None:
    folder, _, name = module.rpartition("/")
    in_its_row = f"`{name}`" in rows().get(f"{folder}/", "")
    assert in_its_row or module in NAMED or is_described_elsewhere(module)


@pytest.mark.parametrize("path", sorted(path for path in NAMED if "/" in path))
def test_what_is_named_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("folder", sorted(rows()))
def test_what_a_row_names_is_in_that_folder(folder: str) -> None:
    for name in re.findall(r"`(\w+\.py)`", rows()[folder]):
        assert (ROOT / folder / name).is_file(), name
