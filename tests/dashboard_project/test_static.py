"""Static files are collected when they are not there, or of something else; and not again."""

from pathlib import Path

import pytest
from pytest_django import Settings

from dashboard_project import static


@pytest.fixture
def source(settings: Settings, tmp_path: Path) -> Path:
    """A file to collect, into an empty folder."""
    settings.STATIC_ROOT = str(tmp_path / "root")
    settings.STATICFILES_DIRS = [str(tmp_path / "source")]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    file = tmp_path / "source" / "page.css"
    file.parent.mkdir()
    file.write_text("body { color: red }")
    return file


def collected(settings: Settings) -> set[str]:
    return {file.read_text() for file in Path(settings.STATIC_ROOT).glob("page.*.css")}


def test_what_is_not_there_is_collected_once(source: Path, settings: Settings) -> None:
    assert static.collect()
    assert collected(settings) == {"body { color: red }"}
    assert not static.collect()


def test_a_file_that_changed_is_collected(source: Path, settings: Settings) -> None:
    static.collect()
    source.write_text("body { color: blue }")
    assert static.collect()
    assert "body { color: blue }" in collected(settings)


def test_another_version_of_what_makes_them_collects_them_again(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    static.collect()
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99")
    assert static.collect()


def test_files_that_were_removed_are_collected_again(source: Path, settings: Settings) -> None:
    static.collect()
    for file in Path(settings.STATIC_ROOT).iterdir():
        file.unlink()
    assert static.collect()
    assert collected(settings) == {"body { color: red }"}
