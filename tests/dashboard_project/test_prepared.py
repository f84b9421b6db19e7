"""Processes that are started before all is prepared: they wait, and one that is started again later does not."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dashboard_project.prepared import FD, Prepared

WAITS = """
import os
from dashboard_project import prepared
print("imports", flush=True)
prepared.wait()
prepared.wait()
print(os.environ.get(prepared.FD), flush=True)
"""


@pytest.fixture
def prepared() -> Iterator[Prepared]:
    made = Prepared()
    yield made
    os.close(made.reader)


def started(prepared: Prepared) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WAITS],
        env={**os.environ, FD: str(prepared.reader)},
        pass_fds=[prepared.reader],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_process_waits_until_all_is_prepared_and_one_that_comes_later_does_not(prepared: Prepared) -> None:
    with started(prepared) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "imports\n"
        assert process.poll() is None
        prepared.say()
        assert process.communicate()[0] == "None\n"
    with started(prepared) as later:
        assert later.communicate()[0] == "imports\nNone\n"
