"""Making a backup, while the system runs."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.db import connection

from dashboard_project import __version__
from dashboard_project.backup import archive, schema
from dashboard_project.backup.databases import database
from dashboard_project.backup.errors import BackupError

SECRET_KEY_FILE = "secret_key"  # noqa: S105 (a name)
PASSWORD_FILE = "admin_password"  # noqa: S105
PLUGINS = "plugins"


def take(to: IO[bytes]) -> int:
    """Write a backup of this installation as it is now; return how many rows there were.

    Raises BackupError if there is nothing to back up, and OSError if `to` can't be written.
    """
    with archive.Writer(to) as writer:
        migrations = write_tables(writer)
        for path, file in files():
            writer.file(path, file.read_bytes())
        writer.finish(
            archive.Manifest(
                format=archive.FORMAT,
                version=__version__,
                database=connection.vendor,
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                key=key_digest(),
                migrations=migrations,
                tables=writer.tables,
            )
        )
    return sum(held.rows for held in writer.tables.values())


def write_tables(writer: archive.Writer) -> list[schema.Migration]:
    """Write every table as it is at one moment; return the migrations that they have had."""
    reading = database()
    with reading.snapshot():
        migrations = schema.applied()
        if not migrations:
            raise BackupError("There is nothing to back up: the database is empty.")
        for model in schema.models(migrations):
            table = schema.table(model)
            writer.table(table.name, table.columns, reading.lines(table))
    return migrations


def files() -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield the files of DATA_DIR that belong to an installation, with their paths in it: its key, its plug-ins.

    A key that the environment gives is left out: who keeps it apart has a reason.
    """
    folder = Path(settings.DATA_DIR)
    found = [folder / PASSWORD_FILE, *sorted((folder / PLUGINS).rglob("*.py"))]
    if not key_is_given():
        found.append(folder / SECRET_KEY_FILE)
    for file in found:
        if file.is_file():
            yield PurePosixPath(file.relative_to(folder).as_posix()), file


def key_is_given() -> bool:
    """Return whether SECRET_KEY comes from the environment, and not from DATA_DIR."""
    file = Path(settings.DATA_DIR) / SECRET_KEY_FILE
    return not file.exists() or file.read_text() != settings.SECRET_KEY


def key_digest() -> str:
    """Return what tells SECRET_KEY from another, and not what it is."""
    return hashlib.sha256(f"watchfloor backup {settings.SECRET_KEY}".encode()).hexdigest()[:16]


@contextmanager
def whole_or_none(path: Path) -> Iterator[IO[bytes]]:
    """Give a file for its owner alone, which is at `path` once all is written, and never before. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
