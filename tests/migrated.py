"""Databases with every table, each migrated once for all workers; what a test needs is a copy.

Migrating takes more than a second of a processor, and copying a hundredth of one.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from tests.services import MIGRATED_LOCK

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "tests" / "output"
FILE = "watchfloor.sqlite3"
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LOG_LEVEL")
"""Variables that tests/services.py set for the tests themselves."""
NAME = "migrated"


def copy() -> None:
    """Have the tests' own database made as a copy, if others can have copies of the same."""
    test = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        shutil.copy(file(), test["NAME"])
        test["MIGRATE"] = False
    elif "PYTEST_XDIST_WORKER" in os.environ and MIGRATED_LOCK in os.environ:
        with _noted(Path(os.environ[MIGRATED_LOCK])) as note:
            if note.read() != NAME:
                _migrate()
                note.write(NAME)
        test |= {"TEMPLATE": NAME, "MIGRATE": False}


@cache
def file() -> Path:
    """Return an SQLite database with all tables and nothing in them, kept from run to run."""
    file = OUTPUT / "migrated.sqlite3"
    migrations = sorted(ROOT.glob("*/migrations/*.py"))
    wanted = hashlib.sha256(b"".join(one.read_bytes() for one in migrations)).hexdigest()
    OUTPUT.mkdir(exist_ok=True)
    with _noted(file.with_suffix(".lock")) as note:
        if note.read() != wanted:
            env = {name: value for name, value in os.environ.items() if name not in OURS}
            with tempfile.TemporaryDirectory() as folder:
                env["DATA_DIR"] = folder
                subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
                shutil.move(Path(folder) / FILE, file)
            note.truncate(0)
            note.write(wanted)
    return file


@contextmanager
def _noted(path: Path) -> Iterator[IO[str]]:
    """Yield a file that says what is there already, which nobody else has meanwhile."""
    with path.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        yield lock


def _migrate() -> None:
    told = connection.settings_dict
    name, test_name = told["NAME"], told["TEST"]["NAME"]
    told["TEST"]["NAME"] = NAME
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # nobody may look into what is copied
    told["TEST"]["NAME"] = test_name
    told["NAME"] = settings.DATABASES[connection.alias]["NAME"] = name
