"""`manage.py backup`: write a backup to a file or to stdout."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from dashboard_project.backup.errors import BackupError, reason
from dashboard_project.backup.files import whole_or_none
from dashboard_project.backup.take import other_storage, take


class Command(BaseCommand):
    """Writes a backup of the whole installation to a file or to stdout, while it runs."""

    help = "Write a backup of the whole installation to FILE, while it runs; to stdout if that is -."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="Where to; - for stdout.")
        parser.add_argument("--replace", action="store_true", help="Replace FILE if there is one.")

    def handle(self, *args: Any, file: str, replace: bool, **options: Any) -> None:
        path = Path(file)
        try:
            if file == "-":
                if sys.stdout.isatty():
                    raise CommandError("A backup is nothing to read: send it into a file or a program.")
                rows = take(sys.stdout.buffer)
            elif path.exists() and not path.is_file():
                raise CommandError(f"{file} is no file that could be replaced.")
            elif path.exists() and not replace:
                raise CommandError(f"{file} exists; --replace replaces it.")
            else:
                with whole_or_none(path) as new:
                    rows = take(new)
        except BackupError as error:
            raise CommandError(str(error)) from None
        except Error as error:
            raise CommandError(f"The database can't be read ({reason(error)}).") from None
        except OSError as error:
            raise CommandError(f"{file} can't be written ({error.strerror}).") from None
        self.stderr.write(
            f"{rows:,} rows are in {'the backup' if file == '-' else file}; it holds secrets: keep it safe."
        )
        if storage := other_storage():
            self.stderr.write(f"Files of rooms are not in it: {storage} keeps them, so back them up there.")
