"""`manage.py dashboards`: dashboards as files in a folder, and what is told of alerts in folders in it."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.actions import channel_files, escalation_files, rule_files, schedule_files
from metrics.actions import dashboard_files as actions
from metrics.actions.dashboard_files import ENDING, Change
from metrics.actions.errors import Conflict, Forbidden, Invalid, Missing

INSIDE = (rule_files, channel_files, schedule_files, escalation_files)
"""Things in a folder each, in the order in which they are applied: that of locks; an escalation names the others."""
TROUBLE = 2
"""Exit code of what could not be done; 1 is that of a difference."""


class Command(BaseCommand):
    """Compares dashboards, and what is told of alerts, with the files of a folder, and makes one what the other is."""

    help = (
        "Compare dashboards, rules, channels, schedules and escalations with the YAML files of a folder, apply these, "
        "or write what was changed in the page."
    )
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=("diff", "apply", "export"))
        parser.add_argument(
            "folder",
            help=f"Where the files are, each called after its slug: shop{ENDING}; rules, channels, schedules and "
            "escalations in folders there.",
        )
        parser.add_argument(
            "--prune", action="store_true", help="Delete what has no file; on export, files that are of nothing."
        )
        parser.add_argument("--as", dest="user", default="", help="A user who does it; else Watchfloor itself.")

    def handle(self, *args: Any, verb: str, folder: str, prune: bool, user: str, **options: Any) -> None:
        self.done: list[str] = []
        by = _principal(user)
        try:
            files = _files(Path(folder), may_be_missing=verb == "export")
            inside = {one.FOLDER: _files(Path(folder, one.FOLDER), may_be_missing=True) for one in INSIDE}
            if verb == "export":
                self._export(Path(folder), files, actions.export(by, files), prune)
                for one in INSIDE:
                    found = inside[one.FOLDER]
                    self._export(Path(folder, one.FOLDER), found, one.export(by, found), prune, f"{one.FOLDER}/")
                self.stderr.write(" ".join(self.done) or "Nothing to do.")
            elif not files and not any(inside.values()):
                raise CommandError(f"{folder} has no file that ends with {ENDING}.", returncode=TROUBLE)
            else:
                there = {name: found for name, found in inside.items() if Path(folder, name).is_dir()}
                self._compare(by, files, there, verb, prune)
        except Invalid as problem:
            raise CommandError("\n".join(said for _, said in problem.all), returncode=TROUBLE) from None
        except (Conflict, Forbidden, Missing) as problem:
            raise CommandError(str(problem), returncode=TROUBLE) from None
        except OSError as error:
            said = f"{error.filename or folder} can't be used ({error.strerror})."
            raise CommandError(said, returncode=TROUBLE) from None

    def _compare(
        self, by: Principal, files: dict[str, str], inside: dict[str, dict[str, str]], verb: str, prune: bool
    ) -> None:
        """Show what differs, and apply it all, or nothing; what has no folder is left alone."""
        changes = actions.compare(by, files, prune=prune)
        others = [(one, one.compare(by, inside[one.FOLDER], prune=prune)) for one in INSIDE if one.FOLDER in inside]
        every: list[Change] = [*changes, *(change for _, found in others for change in found)]
        for change in every:
            for line in change.lines():
                self.stdout.write(line)
        if verb == "diff":
            if every:
                sys.exit(1)
            return
        with transaction.atomic():
            actions.apply(by, changes)
            for one, found in others:
                one.apply(by, found)
        self.stderr.write(" ".join(map(_done, every)) or "Nothing to do.")

    def _export(self, folder: Path, files: dict[str, str], texts: dict[str, str], prune: bool, shown: str = "") -> None:
        changed = sorted(name for name, text in texts.items() if files.get(name) != text)
        gone = sorted(files.keys() - texts.keys()) if prune else []
        if changed:
            folder.mkdir(parents=True, exist_ok=True)
        for name in changed:
            _write(folder / f"{name}{ENDING}", texts[name])
        for name in gone:
            (folder / f"{name}{ENDING}").unlink()
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
