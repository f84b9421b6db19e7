"""`make test` measures coverage, and fails below the floor."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.exit_code import FAILED_BESIDES

ROOT = Path(settings.BASE_DIR)
ONE_FILE = "tests/ingest/test_statsd.py"


def test_make_test_measures() -> None:
    assert "--coverage" in (ROOT / "Makefile").read_text()


def test_less_than_the_floor_fails() -> None:
    """The tests of one file pass, but run few lines of the others."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--coverage", ONE_FILE]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    env["TEST_DATABASE"] = "sqlite"
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=200)
    assert " passed in " in done.stdout
    assert "metrics/ingest: " in done.stdout
    assert done.returncode == FAILED_BESIDES
