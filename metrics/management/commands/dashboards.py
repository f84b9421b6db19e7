"""`manage.py dashboards`: dashboards as files in a folder."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.actions import dashboard_files as actions
from metrics.actions.dashboard_files import ENDING, Change
from metrics.actions.errors import Conflict, Forbidden, Invalid, Missing

TROUBLE = 2
"""Exit code of what could not be done; 1 is that of a difference."""


class Command(BaseCommand):
    """Compares dashboards with the files of a folder, and makes one what the other is."""

    help = "Compare dashboards with the YAML files of a folder, apply these, or write what was changed in the page."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=("diff", "apply", "export"))
        parser.add_argument(
            "folder", help=f"Where the files are, each called after its dashboard's slug: shop{ENDING}."
        )
        parser.add_argument("--prune", action="store_true", help="Delete dashboards (or, on export, files) of no file.")
        parser.add_argument("--as", dest="user", default="", help="A user who does it; else Watchfloor itself.")

    def handle(self, *args: Any, verb: str, folder: str, prune: bool, user: str, **options: Any) -> None:
        by = _principal(user)
        try:
            files = _files(Path(folder), may_be_missing=verb == "export")
            if verb == "export":
                self._export(by, Path(folder), files, prune)
            elif not files:
                raise CommandError(f"{folder} has no file that ends with {ENDING}.", returncode=TROUBLE)
            else:
                self._compare(by, files, verb, prune)
        except Invalid as problem:
            raise CommandError("\n".join(said for _, said in problem.all), returncode=TROUBLE) from None
        except (Conflict, Forbidden, Missing) as problem:
            raise CommandError(str(problem), returncode=TROUBLE) from None
        except OSError as error:
            said = f"{error.filename or folder} can't be used ({error.strerror})."
            raise CommandError(said, returncode=TROUBLE) from None

    def _compare(self, by: Principal, files: dict[str, str], verb: str, prune: bool) -> None:
        changes = actions.compare(by, files, prune=prune)
        for one in changes:
            for line in one.lines():
                self.stdout.write(line)
        if verb == "diff":
            if changes:
                sys.exit(1)
            return
        actions.apply(by, changes)
        self.stderr.write(" ".join(map(_done, changes)) or "Nothing to do.")

    def _export(self, by: Principal, folder: Path, files: dict[str, str], prune: bool) -> None:
        texts = actions.export(by, files)
        folder.mkdir(parents=True, exist_ok=True)
        changed = [slug for slug, text in texts.items() if files.get(slug) != text]
        gone = sorted(files.keys() - texts.keys()) if prune else []
        for slug in changed:
            _write(folder / f"{slug}{ENDING}", texts[slug])
        for slug in gone:
            (folder / f"{slug}{ENDING}").unlink()
        said = [
            *(f"{slug}{ENDING} is written." for slug in sorted(changed)),
            *(f"{slug}{ENDING} is removed." for slug in gone),
        ]
        self.stderr.write(" ".join(said) or "Nothing to do.")


def _principal(user: str) -> Principal:
    if not user:
        return SYSTEM
    found = User.objects.filter(username=user, is_active=True).first()
    if found is None:
        raise CommandError(f"There is no active user {user!r}.", returncode=TROUBLE)
    return of_user(found)


def _files(folder: Path, *, may_be_missing: bool) -> dict[str, str]:
    """Return the texts of the files in `folder`, by slug. Raises OSError, or CommandError for what is no such file."""
    if may_be_missing and not folder.exists():
        return {}
    texts = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix not in (ENDING, ".yml"):
            continue
        if path.suffix != ENDING:
            raise CommandError(f"{path.name} has to be called {path.stem}{ENDING}.", returncode=TROUBLE)
        try:
            texts[path.stem] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise CommandError(f"{path.name} is not UTF-8.", returncode=TROUBLE) from None
    return texts


def _write(path: Path, text: str) -> None:
    """Write a file whole: one that is read meanwhile is the old or the new one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _done(change: Change) -> str:
    return f"{change.slug} is {change.verb.removesuffix('e')}ed."
