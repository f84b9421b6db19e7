"""`manage.py export_samples`: write samples to a CSV or JSON lines file."""

import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from metrics.actions import sample_files
from metrics.actions.sample_files import FORMATS, Wanted


class Command(BaseCommand):
    """Writes samples to a file or stdout, with a progress bar on stderr."""

    help = "Write the samples that are held to a file, or to stdout."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="Where to; - or nothing for stdout.")
        parser.add_argument("--format", choices=FORMATS, help="Else what the file's name ends with; jsonl on stdout.")
        parser.add_argument("--metric", default="", help="Only this metric.")
        parser.add_argument("--start", default="", help="From this time on, such as 2026-11-20T00:00:00+01:00.")
        parser.add_argument("--end", default="", help="Until before this time; else until now.")

    def handle(self, *args: Any, file: str, format: str | None, metric: str, start: str, end: str, **_: Any) -> None:
        wanted = Wanted(metric, moment("start", start, 0.0), moment("end", end, time.time() + 3600))
        chosen = format or format_of(file)
        if file == "-":
            _write(wanted, chosen, sys.stdout)
            return
        try:
            with open(file, "x", encoding="utf-8", newline="") as to:
                _write(wanted, chosen, to)
        except OSError as error:
            raise CommandError(f"{file} can't be written ({error.strerror}).") from None


def _write(wanted: Wanted, format: str, to: TextIO) -> None:
    with tqdm(total=1.0, unit="", bar_format="{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left") as bar:
        for line, share in sample_files.export_lines(wanted, format):
            to.write(line)
            bar.update(share - bar.n)
        bar.update(1.0 - bar.n)


def format_of(file: str) -> str:
    """Return the format that the name of a file says. Raises CommandError if it says none."""
    if file == "-":
        return "jsonl"
    ending = file.rpartition(".")[2].lower()
    if ending not in FORMATS:
        raise CommandError(f"{file} ends in neither {' nor '.join('.' + one for one in FORMATS)}; say --format.")
    return ending


def moment(name: str, text: str, default: float) -> float:
    """Return an ISO 8601 time as Unix seconds. Raises CommandError for another text."""
    if not text:
        return default
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--{name} {text!r} is not a time such as 2026-11-20T00:00:00+01:00.") from None
    if found.tzinfo is None:
        raise CommandError(f"--{name} {text!r} has no time zone, such as Z or +01:00.")
    return found.timestamp()
