"""The docs name everything a user can call: endpoints, commands, kinds, ranges."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from metrics.api import api
from metrics.sources import registry as sources
from metrics.widgets import registry as widgets
from metrics.widgets.ranges import RANGES_S

ROOT = Path(settings.BASE_DIR)
OURS = ("metrics", "consumers", "tasks", "dashboard_project")


def documents() -> list[Path]:
    return [file for file in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if file.is_file()]


def said() -> str:
    return "\n".join(file.read_text() for file in documents())


def pages() -> Iterator[str]:
    """The paths of our own pages, with `<slug>` as docs write it."""
    waiting: list[tuple[str, URLPattern | URLResolver]] = [("/", one) for one in get_resolver().url_patterns]
    while waiting:
        before, one = waiting.pop()
        path = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", path)
        elif str(one.pattern) == "":
            waiting += [(path, inner) for inner in one.url_patterns]
    yield "/admin/"
    yield "/api/docs"
    yield "/api/v1/openapi.json"
    yield "/ws/dashboards/<slug>/"


ENDPOINTS = sorted({*pages(), *api.get_openapi_schema()["paths"]} - {"/"})
COMMANDS = sorted(name for name, app in get_commands().items() if str(app) in OURS)


def test_there_are_docs() -> None:
    assert (ROOT / "README.md").is_file()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_is_documented(endpoint: str) -> None:
    assert re.search(rf"{re.escape(endpoint)}(?![\w/<])", said()), endpoint


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"manage.py {command}" in said()


@pytest.mark.parametrize("kind", sorted({*sources.kinds(), *widgets.kinds(), *RANGES_S}))
def test_every_kind_and_range_is_documented(kind: str) -> None:
    assert f"`{kind}`" in said()


@pytest.mark.parametrize(
    ("kind", "field"),
    sorted(
        (name, field)
        for registry in (sources, widgets)
        for name, kind in registry.kinds().items()
        for field in kind.config_class.model_fields
    ),
)
def test_every_field_of_a_config_is_documented(kind: str, field: str) -> None:
    assert f"`{field}`" in said()


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)))
)
def test_every_make_target_is_documented(target: str) -> None:
    assert f"make {target}" in said()


@pytest.mark.parametrize("document", documents(), ids=lambda file: file.name)
def test_no_table_is_cut(document: Path) -> None:
    """Rows behind an empty line are no rows any more."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert re.match(r"\|.*\n\|[-:| ]+\|\n\|", table), table
