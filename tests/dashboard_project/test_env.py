"""Readers of environment variables: values, defaults, and refusals."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard_project import env


@pytest.fixture(autouse=True)
def _declarations_stay() -> Iterator[None]:
    kept = dict(env.DECLARED)
    yield
    env.DECLARED.clear()
    env.DECLARED.update(kept)


READERS: dict[str, Callable[[], Any]] = {
    "text": lambda: env.text("X", "default", "help"),
    "path": lambda: env.path("X", Path("/default"), "help"),
    "path_or_none": lambda: env.path_or_none("X", "help"),
    "paths": lambda: env.paths("X", "help"),
    "integer": lambda: env.integer("X", 5, "help", least=1, most=10),
    "flag": lambda: env.flag("X", False, "help"),
    "items": lambda: env.items("X", ["a", "b"], "help"),
    "networks": lambda: env.networks("X", "help"),
    "choice": lambda: env.choice("X", "A", "help", ("A", "B")),
    "url": lambda: env.url("X", "", "help", schemes=("redis", "unix")),
}


@pytest.mark.parametrize(
    ("reader", "raw", "expected"),
    [
        ("text", None, "default"),
        ("text", "", "default"),
        ("text", "  words  ", "words"),
        ("path", None, Path("/default")),
        ("path", "/a/../b", Path("/b")),
        ("path", "~", Path.home().resolve()),
        ("path", "relative", Path.cwd() / "relative"),
        ("path_or_none", None, None),
        ("path_or_none", "/a/../b", Path("/b")),
        ("paths", None, []),
        ("paths", " /a/../b , ,/c", [Path("/b"), Path("/c")]),
        ("integer", None, 5),
        ("integer", "10", 10),
        ("flag", None, False),
        ("flag", "Yes", True),
        ("flag", "1", True),
        ("flag", "off", False),
        ("items", None, ["a", "b"]),
        ("items", " c , ,d", ["c", "d"]),
        ("networks", None, []),
        ("networks", "10.0.0.1, ,fd00::/8", [ip_network("10.0.0.1"), ip_network("fd00::/8")]),
        ("choice", None, "A"),
        ("choice", "b", "B"),
        ("url", None, ""),
        ("url", "redis://host/0", "redis://host/0"),
    ],
)
def test_values(reader: str, raw: str | None, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X", raising=False)
    if raw is not None:
        monkeypatch.setenv("X", raw)
    assert READERS[reader]() == expected


@pytest.mark.parametrize(
    ("reader", "raw", "sentence"),
    [
        ("integer", "0", "X must be a whole number from 1 to 10, not '0'."),
        ("integer", "eleven", "X must be a whole number from 1 to 10, not 'eleven'."),
        ("flag", "maybe", "X must be one of true, false, yes, no, on, off, 1, 0, not 'maybe'."),
        ("choice", "C", "X must be one of A, B, not 'C'."),
        ("url", "http://:secret@host", "X must begin with redis:// or unix://."),
        ("url", "host", "X must begin with redis:// or unix://."),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(
    reader: str, raw: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", raw)
    with pytest.raises(ImproperlyConfigured) as refused:
        READERS[reader]()
    assert str(refused.value) == sentence


def test_a_value_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("X", "from the variable")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert env.text("X", "", "help") == "from the file"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing"
    monkeypatch.setenv("X_FILE", str(missing))
    with pytest.raises(ImproperlyConfigured) as refused:
        env.text("X", "", "help")
    assert str(refused.value) == f"X_FILE: {missing} can't be read (No such file or directory)."


def test_every_reader_declares_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X", raising=False)
    for reader, default in (("text", "default"), ("integer", "5"), ("items", "a,b"), ("path", "/default")):
        READERS[reader]()
        assert env.DECLARED["X"] == env.Setting("X", "help", default)
