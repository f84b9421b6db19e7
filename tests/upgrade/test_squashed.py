"""The migration that fills an empty database at once: which databases it is for, and which go on step by step."""

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from dashboard_project.backup import schema
from dashboard_project.backup.schema import Migration
from dashboard_project.database import migrations, unapplied

SQUASHED: Migration = ("metrics", "0001_squashed_0055_screen_paired_from")
EVERY: list[Migration] = [*migrations()]
STEPS: list[Migration] = [*import_module(f"metrics.migrations.{SQUASHED[1]}").Migration.replaces]
LATER: list[Migration] = sorted(one for one in EVERY if one[0] == "metrics" and one not in [SQUASHED, *STEPS])
OTHERS: set[Migration] = {one for one in EVERY if one[0] != "metrics"}
DATABASES: dict[str, tuple[list[Migration], list[Migration]]] = {
    "empty": ([], [SQUASHED, *LATER]),
    "release 0.1": (STEPS[:14], [*STEPS[14:], *LATER]),
    "one step less": (STEPS[:-1], [STEPS[-1], *LATER]),
    "every step": (STEPS, LATER),
    "squashed": ([SQUASHED, *STEPS], LATER),
}
"""Migrations of our app: those that a database notes, and those that are to be applied then."""
BACKUPS: dict[str, tuple[list[Migration], list[Migration]]] = {
    "release 0.1": (STEPS[:14], [STEPS[13]]),
    "every step": (STEPS, [SQUASHED]),
    "squashed": ([SQUASHED, *STEPS], [SQUASHED]),
}
"""Migrations of our app that a backup lists, and the newest of them."""


def note(noted: list[Migration]) -> None:
    """Have the database note these migrations of our app and no others."""
    rows = MigrationRecorder(connection).migration_qs
    rows.filter(app="metrics").delete()
    rows.bulk_create(rows.model(app=app, name=name) for app, name in noted)


def plan() -> list[Migration]:
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    return [(one.app_label, one.name) for one, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


@pytest.mark.django_db
@pytest.mark.parametrize("database", DATABASES)
def test_an_empty_database_gets_it_and_others_what_they_lack(database: str) -> None:
    noted, lacked = DATABASES[database]
    note(noted)
    assert plan() == lacked


@pytest.mark.django_db
def test_a_database_that_has_had_every_step_counts_as_one_that_has_had_it() -> None:
    assert not unapplied()
    note([*STEPS, *LATER])
    assert unapplied()
    call_command("migrate", interactive=False, verbosity=0)
    assert set(MigrationRecorder(connection).applied_migrations()) == {SQUASHED, *STEPS, *LATER, *OTHERS}
    assert not unapplied()


def test_it_leaves_the_models_that_the_steps_leave() -> None:
    """In the same order of columns, by which a backup is known to fit."""
    loader = MigrationLoader(None, replace_migrations=False)
    step_by_step, at_once = (loader.project_state([one]).models for one in (STEPS[-1], SQUASHED))
    ours = {key: model for key, model in step_by_step.items() if key[0] == "metrics"}
    assert ours == {key: model for key, model in at_once.items() if key[0] == "metrics"}
    assert len(ours) > 60


@pytest.mark.parametrize("backup", BACKUPS)
def test_a_backup_of_before_it_is_known(backup: str) -> None:
    noted, newest = BACKUPS[backup]
    assert [one for one in schema.newest([*noted, *OTHERS]) if one[0] == "metrics"] == newest


def test_the_start_looks_for_those_that_django_would_load() -> None:
    assert set(migrations()) == set(MigrationLoader(None, replace_migrations=False).disk_migrations)
