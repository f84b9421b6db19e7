"""`manage.py dashboards`: dashboards as files in a folder, and rules in the folder `rules` in it."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.actions import dashboard_files as actions
from metrics.actions import rule_files
from metrics.actions.dashboard_files import ENDING, Change
from metrics.actions.errors import Conflict, Forbidden, Invalid, Missing
from metrics.actions.rule_files import FOLDER

TROUBLE = 2
"""Exit code of what could not be done; 1 is that of a difference."""


class Command(BaseCommand):
    """Compares dashboards and rules with the files of a folder, and makes one what the other is."""

    help = (
        "Compare dashboards, and rules, with the YAML files of a folder, apply these, or write what was changed in "
        "the page."
    )
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=("diff", "apply", "export"))
        parser.add_argument(
            "folder",
            help=f"Where the files are, each called after its slug: shop{ENDING}; rules in {FOLDER}/ there.",
        )
        parser.add_argument(
            "--prune", action="store_true", help="Delete dashboards and rules (or, on export, files) of no file."
        )
        parser.add_argument("--as", dest="user", default="", help="A user who does it; else Watchfloor itself.")

    def handle(self, *args: Any, verb: str, folder: str, prune: bool, user: str, **options: Any) -> None:
        self.done: list[str] = []
        by = _principal(user)
        try:
            missing = verb == "export"
            files = _files(Path(folder), may_be_missing=missing)
            of_rules = _files(Path(folder, FOLDER), may_be_missing=True)
            if verb == "export":
                self._export(Path(folder), files, actions.export(by, files), prune)
                self._export(Path(folder, FOLDER), of_rules, rule_files.export(by, of_rules), prune)
                self.stderr.write(" ".join(self.done) or "Nothing to do.")
            elif not files and not of_rules:
                raise CommandError(f"{folder} has no file that ends with {ENDING}.", returncode=TROUBLE)
            else:
                has_rules = Path(folder, FOLDER).is_dir()
                self._compare(by, files, of_rules if has_rules else None, verb, prune)
        except Invalid as problem:
            raise CommandError("\n".join(said for _, said in problem.all), returncode=TROUBLE) from None
        except (Conflict, Forbidden, Missing) as problem:
            raise CommandError(str(problem), returncode=TROUBLE) from None
        except OSError as error:
            said = f"{error.filename or folder} can't be used ({error.strerror})."
            raise CommandError(said, returncode=TROUBLE) from None

    def _compare(
        self, by: Principal, files: dict[str, str], of_rules: dict[str, str] | None, verb: str, prune: bool
    ) -> None:
        """Show what differs, and apply it all, or nothing; without a folder of rules, they are left alone."""
        changes = actions.compare(by, files, prune=prune)
        rule_changes = [] if of_rules is None else rule_files.compare(by, of_rules, prune=prune)
        both: list[Change] = [*changes, *rule_changes]
        for one in both:
            for line in one.lines():
                self.stdout.write(line)
        if verb == "diff":
            if both:
                sys.exit(1)
            return
        with transaction.atomic():
            actions.apply(by, changes)
            rule_files.apply(by, rule_changes)
        self.stderr.write(" ".join(map(_done, both)) or "Nothing to do.")

    def _export(self, folder: Path, files: dict[str, str], texts: dict[str, str], prune: bool) -> None:
        changed = sorted(name for name, text in texts.items() if files.get(name) != text)
        gone = sorted(files.keys() - texts.keys()) if prune else []
        if changed:
            folder.mkdir(parents=True, exist_ok=True)
        for name in changed:
            _write(folder / f"{name}{ENDING}", texts[name])
        for name in gone:
            (folder / f"{name}{ENDING}").unlink()
        shown = f"{FOLDER}/" if folder.name == FOLDER else ""
        self.done += [
            *(f"{shown}{name}{ENDING} is written." for name in changed),
            *(f"{shown}{name}{ENDING} is removed." for name in gone),
        ]


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
