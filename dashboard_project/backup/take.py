"""Making a backup, while the system runs."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.db import connection

from dashboard_project import __version__
from dashboard_project.backup import archive, schema
from dashboard_project.backup.databases import database
from dashboard_project.backup.errors import BackupError
from metrics.files import DatabaseStorage

SECRET_KEY_FILE = "secret_key"  # noqa: S105 (a name)
PASSWORD_FILE = "admin_password"  # noqa: S105
PLUGINS = "plugins"


def take(to: IO[bytes]) -> int:
    """Write a backup of this installation as it is now; return how many rows there were.

    Raises BackupError if there is nothing to back up or a file can't be read, django.db.Error if the database can't be,
    and OSError if `to` can't be written.
    """
    with archive.Writer(to) as writer:
        migrations = write_tables(writer)
        for path, file in files():
            writer.file(path, _content(file))
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


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BackupError(f"{file} can't be read ({error.strerror}).") from None


def other_storage() -> str:
    """Return the class that keeps files of rooms, "" if they are in the database and so in the backup."""
    named = str(settings.STORAGES["attachments"]["BACKEND"])
    return "" if named == f"{DatabaseStorage.__module__}.{DatabaseStorage.__name__}" else named


def key_is_given() -> bool:
    """Return whether SECRET_KEY comes from the environment, and not from DATA_DIR."""
    file = Path(settings.DATA_DIR) / SECRET_KEY_FILE
    return not file.exists() or file.read_text() != settings.SECRET_KEY


def key_digest() -> str:
    """Return what tells SECRET_KEY from another, and not what it is."""
    return hashlib.sha256(f"watchfloor backup {settings.SECRET_KEY}".encode()).hexdigest()[:16]
