"""Why a command can't work on the database, said in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError

from dashboard_project import database


def test_a_command_says_that_a_database_has_no_tables(tmp_path: Path) -> None:
    """As with a DATA_DIR that was forgotten; a token is read from stdout by scripts."""
    env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "TEST_DATABASE_URL")}
    done = subprocess.run(
        [sys.executable, "manage.py", "token", "orders"],
        cwd=settings.BASE_DIR,
        env={**env, "DJANGO_SETTINGS_MODULE": "dashboard_project.settings", "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"watchfloor: The database at sqlite:///{tmp_path}/watchfloor.sqlite3 is empty, or older than this code. "
        "DATA_DIR or DATABASE_URL may be others than those of the processes; "
        "make run and manage.py migrate bring it up to date.\n"
    )


@pytest.mark.django_db
def test_nothing_is_said_of_one_that_is_up_to_date() -> None:
    assert database.obstacle() == ""


def test_one_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise DatabaseError("Connection refused")

    monkeypatch.setattr(database, "ask", refuse)
    assert database.obstacle().endswith("can't be used (Connection refused).")
