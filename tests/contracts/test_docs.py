"""The docs name everything a user can call: endpoints, commands, kinds, ranges."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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


@cache
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


def test_there_are_docs() -> None:
    assert (ROOT / "README.md").is_file()


def test_every_endpoint_is_documented() -> None:
    every = sorted({*pages(), *api.get_openapi_schema()["paths"]} - {"/"})
    assert [one for one in every if not re.search(rf"{re.escape(one)}(?![\w/<])", said())] == []


def test_every_command_is_documented() -> None:
    ours = (name for name, app in get_commands().items() if str(app) in OURS)
    assert [name for name in ours if f"manage.py {name}" not in said()] == []


def test_every_kind_range_and_field_is_documented() -> None:
    kinds = [(name, kind) for registry in (sources, widgets) for name, kind in registry.kinds().items()]
    assert [one for one in {name for name, _ in kinds} | {*RANGES_S} if f"`{one}`" not in said()] == []
    fields = ((name, field) for name, kind in kinds for field in kind.config_class.model_fields)
    assert [(name, field) for name, field in fields if f"`{field}`" not in said()] == []


def test_every_make_target_is_documented() -> None:
    targets = re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    assert [target for target in targets if f"make {target}" not in said()] == []


def test_no_table_is_cut() -> None:
    """Rows behind an empty line are no rows any more."""
    for document in documents():
        text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)
        for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
            assert re.match(r"\|.*\n\|[-:| ]+\|\n\|", table), (document, table)
