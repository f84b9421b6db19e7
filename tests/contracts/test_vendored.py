"""Vendored files are the very ones that were reviewed: htmx 4.0.1 with its WebSocket extension, and gridstack."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"
SHA256 = {
    "LICENSE-gridstack": "28d28a6e0b5c6ebca8759b162a644c31cea28aab591060c0d95c7737d8456764",
    "LICENSE-htmx": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    "gridstack.min.css": "74efc82159c5e8d28cb2cebd9f912be9d728bb07fa83896a6b62f4a843207126",
    "gridstack.min.js": "e12690e8e671d752c8007993967830e6a4b8bcfb2787ac85d1100dff765460b4",
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-ws.min.js": "a7c11e4eca05417d6299bb40aaacca01572e44605389fc4d5ef12be408a4d03b",
}
VERSION = "4.0.1"
VERSIONS = {"gridstack": "14.1.0", "htmx": VERSION, "hx-ws": VERSION}
LICENCES = "LICENSES.md"
FIRST_WORDS = {"0BSD": "Zero-Clause BSD", "MIT": "MIT License"}
"""The first line of each licence's text."""


def test_there_is_nothing_else() -> None:
    assert {file.name for file in VENDOR.iterdir()} == {*SHA256, LICENCES}


def test_every_file_has_its_licence() -> None:
    row = re.compile(r"^\| `([\w.-]+)` \| .+ \| (\d[\w.]*) \| (\w+) \| \[([\w.-]+)\]\(\4\) \|$", re.M)
    rows = row.findall((VENDOR / LICENCES).read_text())
    texts = {text for _, _, _, text in rows}
    assert sorted([file for file, *_ in rows] + [*texts, LICENCES]) == sorted(file.name for file in VENDOR.iterdir())
    for file, version, licence, text in rows:
        assert version == VERSIONS[file.partition(".")[0]]
        assert (VENDOR / text).read_text().startswith(FIRST_WORDS[licence] + "\n")


@pytest.mark.parametrize("name", SHA256)
def test_each_file_is_the_one_that_was_reviewed(name: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == SHA256[name]


def test_htmx_says_its_version() -> None:
    versions = re.findall(r"""version\s*[:=]\s*["'](\d+\.\d+\.\d+[^"']*)["']""", (VENDOR / "htmx.min.js").read_text())
    assert versions == [VERSION]


def test_gridstack_says_its_version() -> None:
    assert 'GDRev="14.1.0"' in (VENDOR / "gridstack.min.js").read_text()


def test_the_extension_is_that_of_htmx_4() -> None:
    script = (VENDOR / "hx-ws.min.js").read_text()
    assert "hx-ws" in script
    assert "htmx:ws:" in script or "ws:before:connection" in script


def test_pages_load_these_and_no_other() -> None:
    used = set()
    for template in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        used |= set(re.findall(r"vendor/([\w.-]+)", template.read_text()))
        assert "django_htmx" not in template.read_text()
    assert used == set(SHA256) - {name for name in SHA256 if name.startswith("LICENSE")}
