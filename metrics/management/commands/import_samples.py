"""`manage.py import_samples`: store the samples of a CSV or JSON lines file."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from metrics.actions import sample_files
from metrics.actions.sample_files import FORMATS
from metrics.management.commands.export_samples import format_of
from metrics.sample import BadSamples


class Command(BaseCommand):
    """Stores the samples of a file, all of them or none, with a progress bar on stderr."""

    help = "Store the samples of a CSV or JSON lines file. Doing it again changes nothing."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="A file as export_samples writes it.")
        parser.add_argument("--format", choices=FORMATS, help="Else what the file's name ends with.")
        parser.add_argument("--source", default="", help="Name of the source they get; else the file's name.")

    def handle(self, *args: Any, file: str, format: str | None, source: str, **_: Any) -> None:
        chosen, now = format or format_of(file), time.time()
        try:
            with open(file, encoding="utf-8", newline="") as lines:
                count = sample_files.check_lines(_watched(lines, "checking"), chosen, now)
                lines.seek(0)
                _store(sample_files.import_lines(_watched(lines, "storing"), chosen, source or Path(file).name, now))
        except OSError as error:
            raise CommandError(f"{file} can't be read ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} is not UTF-8; nothing was stored.") from None
        except BadSamples as bad:
            first = bad.problems[0]
            raise CommandError(f"{file}, line {first.index}: {first.message} Nothing was stored.") from None
        self.stderr.write(f"{count} samples are stored.")


def _store(batches: Iterator[int]) -> None:
    stored = 0
    try:
        for count in batches:
            stored += count
    except BadSamples as refused:
        raise CommandError(f"{refused} {stored} samples are stored; mend that, and import the file again.") from None


def _watched(lines: TextIO, what: str) -> Iterator[str]:
    """Return the lines of a file, and show how far that got."""
    size = Path(lines.name).stat().st_size
    with tqdm(total=size, unit="B", unit_scale=True, desc=what) as bar:
        for line in lines:
            bar.update(len(line.encode()))
            yield line
