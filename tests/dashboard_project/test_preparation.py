"""Preparing a start in a process that ends."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dashboard_project.preparation import CannotStartError, Preparation

HEAVY = ("django", "celery", "redis", "psycopg", "pydantic", "structlog", "asyncio")


def test_what_runs_everything_holds_neither_django_nor_drivers() -> None:
    program = f"import sys, dashboard_project.run; print(*[name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []


def asked() -> str:
    """Prepare a start; return why it can't be."""
    with closing(Preparation()) as preparation:
        try:
            preparation.facts()
            return preparation.finish()
        except CannotStartError as refused:
            return str(refused)


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("PORT", "many", "PORT must be a whole number from 1 to 65535, not 'many'."),
        ("REDIS_URL", "redis://:hush@127.0.0.1:1/0", "The Redis at redis://127.0.0.1:1/0 does not answer "),
    ],
)
def test_what_prevents_the_start_is_said(
    name: str, value: str, refusal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    assert asked().startswith(refusal)


def test_a_process_that_dies_is_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with closing(Preparation()) as preparation:
        preparation.kill()
        with pytest.raises(CannotStartError, match="could not be prepared"):
            preparation.facts()
