"""Restoring a backup, while the system does not run."""

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import Error, connection
from redis import RedisError

from dashboard_project.backup import schema
from dashboard_project.backup.archive import Reader
from dashboard_project.backup.databases import PostgreSQL, SQLite, database
from dashboard_project.backup.errors import BackupError, reason
from dashboard_project.backup.files import part, part_of, remove_part
from dashboard_project.backup.take import SECRET_KEY_FILE, key_digest, key_is_given
from metrics.health import standstill
from metrics.health import store as health
from metrics.models import Dashboard, Series, Source
from metrics.redis_state.connection import forget_everything

RUNS = "Watchfloor runs: stop all of its processes, and try again 15 seconds later."


def restore(path: Path, *, replace: bool) -> list[str]:
    """Make this installation what it was when the backup at `path` was made; return what else there is to know.

    An older version's tables are brought up to date. Raises BackupError, with nothing changed, if the file is not
    whole, is from a newer version, if Watchfloor runs, if there is something already and not `replace`, or if the disk
    or the database refuses something.
    """
    with _in_one_sentence(), Reader(path) as backup, stopped(Path(settings.DATA_DIR)):
        if not replace and not is_empty():
            raise BackupError("There is an installation already; --replace puts the backup in its place.")
        migrations = backup.manifest.migrations
        schema.newest(migrations)
        backup.check()
        models = schema.models(migrations)
        tables = [schema.table(model) for model in models]
        _check_fit(backup, tables)
        writing, given = database(), key_is_given()
        with _files_beside(backup, without_key=given) as files:
            with writing.replaced():
                schema.migrate(migrations)
                for table in tables:
                    _fill(backup, table, writing)
                writing.finish(models)
                call_command("migrate", interactive=False, verbosity=0)
            with suppress(RedisError):  # one that is stopped holds nothing
                forget_everything()
            _put_in_place(files)
        return _notes(backup, given)


def is_empty() -> bool:
    """Return whether nobody ever used this installation."""
    tables = connection.introspection.table_names()
    models = (User, Source, Series, Dashboard)
    return not any(one._meta.db_table in tables and one._default_manager.exists() for one in models)


@contextmanager
def stopped(data_dir: Path) -> Iterator[None]:
    """Have nothing start on `data_dir` meanwhile. Raises BackupError if something runs."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(data_dir / "run.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError(RUNS) from None
        try:
            signs = health.signs().values()
        except RedisError:
            signs = {}.values()
        if any(abs(time.time() - sign.at) < standstill.SILENT_AFTER_S for sign in signs):
            raise BackupError(RUNS)
        yield


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except (OSError, Error) as error:
        raise BackupError(f"The backup can't be restored ({reason(error)}); everything is as it was.") from error


def _check_fit(backup: Reader, tables: Iterable[schema.Table]) -> None:
    for table in tables:
        held = backup.manifest.tables.get(table.name)
        if held is None or held.columns != list(table.columns):
            raise BackupError(f"The backup does not fit its own migrations: the table {table.name} is another.")


def _fill(backup: Reader, table: schema.Table, writing: PostgreSQL | SQLite) -> None:
    with backup.table(table.name) as lines:
        try:
            stored = writing.store(table, lines)
        except ValueError:
            raise BackupError(f"The backup has a row of {table.name} that can't be read.") from None
    expected = backup.manifest.tables[table.name].rows
    if stored != expected:
        raise BackupError(f"The backup has {stored} rows of {table.name} instead of {expected}.")


@contextmanager
def _files_beside(backup: Reader, *, without_key: bool) -> Iterator[list[Path]]:
    """Write the files of DATA_DIR beside where they belong; give their places. Files that stay there are removed."""
    folder, files = Path(settings.DATA_DIR), list[Path]()
    try:
        for path, content in backup.files():
            if str(path) == SECRET_KEY_FILE and without_key:
                continue  # the key that the environment gives is what counts
            file = folder / path
            if file.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.append(file)
            with part(file) as new:
                new.write(content)
        yield files
    finally:
        for file in files:
            remove_part(file)


def _put_in_place(files: Iterable[Path]) -> None:
    """Have the files be what was written beside them. Raises BackupError, with all but some of them restored."""
    refused = []
    for file in files:
        try:
            os.replace(part_of(file), file)
        except OSError as error:  # such as one that is a mount of its own
            refused.append(f"{file} ({error.strerror})")
    if refused:
        raise BackupError(
            f"All is restored but {', '.join(refused)}: unpack the backup, a zip archive, and copy it there."
        )


def _notes(backup: Reader, key_was_given: bool) -> list[str]:
    """Return what there is to know about keys."""
    own = any(str(path) == SECRET_KEY_FILE for path, _ in backup.files())
    if backup.manifest.key == key_digest() or (own and not key_was_given):
        return []
    return ["SECRET_KEY is not that of the backup: everyone has to sign in again, and sources lack their credentials."]
