"""Scripts of the pages, tested by Node's own test runner: the files `*.test.js` in this folder."""

import subprocess
from pathlib import Path

import pytest

from tests import debian

FOLDER = Path(__file__).parent
FILES = sorted(str(file.relative_to(FOLDER)) for file in FOLDER.glob("*.test.js"))
TAKES_S = 60


@pytest.fixture(scope="module")
def node() -> str:
    """Path of Node 18 or newer: one on PATH, else Debian's."""
    try:
        return debian.installed("node")
    except debian.NoProgramError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("file", FILES)
def test_scripts(node: str, file: str) -> None:
    done = subprocess.run(
        [node, "--test", file], cwd=FOLDER, check=False, capture_output=True, text=True, timeout=TAKES_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
