"""htmx is the very file that was reviewed: version 4.0.1 with its WebSocket extension, nothing older."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"
SHA256 = {
    "LICENSE-htmx": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-ws.min.js": "a7c11e4eca05417d6299bb40aaacca01572e44605389fc4d5ef12be408a4d03b",
}
VERSION = "4.0.1"
LICENCES = "LICENSES.md"
FIRST_WORDS = {"0BSD": "Zero-Clause BSD"}
"""The first line of each licence's text."""


def test_there_is_nothing_else() -> None:
    assert {file.name for file in VENDOR.iterdir()} == {*SHA256, LICENCES}


def test_every_file_has_its_licence() -> None:
    row = re.compile(r"^\| `([\w.-]+)` \| .+ \| (\d[\w.]*) \| (\w+) \| \[([\w.-]+)\]\(\4\) \|$", re.M)
    rows = row.findall((VENDOR / LICENCES).read_text())
    texts = {text for _, _, _, text in rows}
    assert sorted([file for file, *_ in rows] + [*texts, LICENCES]) == sorted(file.name for file in VENDOR.iterdir())
    for _, version, licence, text in rows:
        assert version == VERSION
        assert (VENDOR / text).read_text().startswith(FIRST_WORDS[licence] + "\n")


@pytest.mark.parametrize("name", SHA256)
def test_each_file_is_the_one_that_was_reviewed(name: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == SHA256[name]


def test_htmx_says_its_version() -> None:
    versions = re.findall(r"""version\s*[:=]\s*["'](\d+\.\d+\.\d+[^"']*)["']""", (VENDOR / "htmx.min.js").read_text())
    assert versions == [VERSION]


def test_the_extension_is_that_of_htmx_4() -> None:
    script = (VENDOR / "hx-ws.min.js").read_text()
    assert "hx-ws" in script
    assert "htmx:ws:" in script or "ws:before:connection" in script


def test_pages_load_these_and_no_other_htmx() -> None:
    used = set()
    for template in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        used |= set(re.findall(r"vendor/([\w.-]+)", template.read_text()))
        assert "django_htmx" not in template.read_text()
    assert used == {"htmx.min.js", "hx-ws.min.js"}
