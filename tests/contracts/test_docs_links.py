"""Targets of the docs exist: files, sections, pictures, commands, make targets; and their examples are valid."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands

from metrics.actions import dashboards, source_configs, source_schedules

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | {".venv/runs", ".venv/checks"}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links() -> Iterator[tuple[str, str]]:
    """Every relative link and image of every page, code aside."""
    for page in PAGES:
        prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
        for link in re.findall(r"\]\(([^)\s]+)\)", prose):
            if not re.match(r"[a-z]+:", link):
                yield name(page), link


@cache
def sections(page: Path) -> set[str]:
    """The anchors that headings get, by GitHub's rule: no punctuation, and a hyphen for each space."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def mentioned(pattern: str) -> list[tuple[str, str]]:
    """Findings of `pattern` in inline code and in shell examples: page and finding, each once."""
    found = set()
    for page in PAGES:
        text = page.read_text()
        blocks = [body for language, body in FENCE.findall(text) if language == "sh"]
        for code in [*blocks, *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))]:
            found |= {(name(page), one) for one in re.findall(pattern, code)}
    return sorted(found)


def examples(page: str) -> list[dict[str, Any]]:
    """The JSON examples of a page that make something."""
    blocks = [body for language, body in FENCE.findall((ROOT / "docs" / page).read_text()) if language == "json"]
    return [example for example in map(json.loads, blocks) if "kind" in example or "slug" in example]


def title(example: dict[str, Any]) -> str:
    return str(example["kind"])


def test_links_lead_somewhere() -> None:
    found = list(links())
    assert len(found) > 100
    for page, link in found:
        path, _, section = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), (page, link)
        assert not section or section in sections(target), (page, link)


def test_commands_that_are_mentioned_exist() -> None:
    known = {*get_commands(), "help"}
    assert [(page, one) for page, one in mentioned(r"manage\.py ([a-z_]+)") if one not in known] == []


def test_make_targets_that_are_mentioned_exist() -> None:
    targets = mentioned(r"(?:^|&& |sudo )make (?:[A-Z]+=\S+ )*([\w./]+)(?![\w=./])")
    assert [(page, one) for page, one in targets if one not in TARGETS] == []


def test_commands_and_targets_are_found_where_they_are_mentioned() -> None:
    assert {"token", "bootstrap", "check"} <= {command for _, command in mentioned(r"manage\.py ([a-z_]+)")}


@pytest.mark.parametrize("example", examples("sources.md"), ids=title)
def test_an_example_of_a_source_is_valid(example: dict[str, Any]) -> None:
    when = {"cron", "time_zone"} if "cron" in example else {"every"}
    assert set(example) == {"kind", "name", "config"} | when
    source_schedules.check(example.get("every"), example.get("cron", ""), example.get("time_zone", ""))
    source_configs.check(example["kind"], example["config"])


@pytest.mark.parametrize("example", examples("widgets.md"), ids=title)
def test_an_example_of_a_widget_is_valid(example: dict[str, Any]) -> None:
    assert set(example) - {"w", "h"} == {"kind", "title", "config"}
    dashboards.check_widget(example["kind"], example["config"])


@pytest.mark.django_db
def test_the_example_of_variables_is_a_dashboard() -> None:
    (example,) = examples("variables.md")
    assert [one.name for one in dashboards.parse(example).variables] == ["host", "zone"]


@pytest.mark.parametrize("file", ["requirements.in", "requirements-dev.in", "requirements-uv.in"])
def test_every_dependency_has_its_reason(file: str) -> None:
    libraries = re.findall(r"^([a-z][\w-]+)", (ROOT / file).read_text(), re.MULTILINE)
    reasons = re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs/decisions/0002-libraries.md").read_text(), re.MULTILINE)
    assert libraries
    assert [library for library in libraries if library not in reasons] == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(page.name for page in folder.glob("[0-9]*.md"))
