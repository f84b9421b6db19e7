"""`manage.py restore`: restore a backup, into either database."""

import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard_project.backup.errors import BackupError, reason
from dashboard_project.backup.restore import restore


class Command(BaseCommand):
    """Makes this installation what it was when a backup was made."""

    help = "Restore a backup, into either database; all processes have to be stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The file that manage.py backup wrote; - for stdin.")
        parser.add_argument("--replace", action="store_true", help="Put it in the place of what there is.")

    def handle(self, *args: Any, file: str, replace: bool, **options: Any) -> None:
        try:
            with seekable(file) as path:
                notes = restore(path, replace=replace)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stderr.write("The backup is restored.")
        for note in notes:
            self.stderr.write(note)


@contextmanager
def seekable(file: str) -> Iterator[Path]:
    """Give the path of what is to be restored: of a copy, if that is stdin. Raises BackupError if there is none."""
    if file != "-":
        yield Path(file)
        return
    try:
        with tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.flush()
            yield Path(copy.name)
    except OSError as error:
        raise BackupError(f"No copy of stdin can be made ({reason(error)}); TMPDIR names another folder.") from None
