"""The way the tests' own system treats processes."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.integration.stack import Stack
from tests.migrated import FILE

pytestmark = pytest.mark.integration

WRITES = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("CREATE TABLE written (at REAL)")
while True:
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO written VALUES (?)", [time.time()])
    print(flush=True)
    time.sleep(0.1)
    database.execute("COMMIT")
    time.sleep(0.1)
"""
"""It holds the database half of the time."""


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack that does not run but for one child, which writes."""
    made = Stack()
    (made.data_dir / "run").mkdir()
    (made.data_dir / FILE).unlink()
    command = [sys.executable, "-c", WRITES, str(made.data_dir / FILE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        (made.data_dir / "run" / "collect.pid").write_text(str(child.pid))
        try:
            child.stdout.readline()
            yield made
        finally:
            child.kill()
            made.log.unlink()
            shutil.rmtree(made.data_dir)


def test_no_process_hangs_that_holds_the_database(stack: Stack) -> None:
    for _ in range(3):
        with stack.hanging("collect"), closing(sqlite3.connect(stack.data_dir / FILE, timeout=0)) as database:
            database.execute("DELETE FROM written")
            database.commit()
