"""Which tables there are at a state of the migrations: of this version, or of an older one."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from dashboard_project.backup.errors import BackupError

Migration = tuple[str, str]
"""App and name."""

KINDS = {
    "AutoField": "integer",
    "BigAutoField": "integer",
    "BigIntegerField": "integer",
    "BinaryField": "bytes",
    "BooleanField": "boolean",
    "CharField": "text",
    "DateTimeField": "datetime",
    "FileField": "text",
    "FloatField": "float",
    "GenericIPAddressField": "address",
    "IntegerField": "integer",
    "JSONField": "json",
    "PositiveBigIntegerField": "integer",
    "PositiveIntegerField": "integer",
    "PositiveSmallIntegerField": "integer",
    "SlugField": "text",
    "SmallIntegerField": "integer",
    "TextField": "text",
    "TimeField": "time",
    "UUIDField": "uuid",
}
"""How `copytext` writes what a field holds, by Django's name of the field."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, its columns, and for each column which kind of value it holds."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]


def applied() -> list[Migration]:
    """Return the migrations that the database has had."""
    return sorted(MigrationRecorder(connection).applied_migrations())


def newest(migrations: Collection[Migration]) -> list[Migration]:
    """Return those that no other follows within its app. Raises BackupError if one is unknown here."""
    loader, given = _loader(migrations), set(migrations)
    if unknown := sorted(given - set(loader.disk_migrations)):
        raise BackupError(
            f"The backup is from a newer version of Watchfloor (it has {'.'.join(unknown[0])}): install that one first."
        )
    graph = loader.graph
    given = (given | set(loader.replacements)) & set(graph.nodes)
    return sorted(
        one
        for one in given
        if not any(child.key in given and child.key[0] == one[0] for child in graph.node_map[one].children)
    )


def models(migrations: Collection[Migration]) -> list[type[Any]]:
    """Return the models as they were after `migrations`."""
    state = _loader(migrations).project_state(newest(migrations))
    every = state.apps.get_models(include_auto_created=True)
    return [one for one in every if one._meta.managed and not one._meta.proxy]  # a proxy has the table of another


def table(model: type[Any]) -> Table:
    """Return the table of `model`."""
    fields = [field for field in model._meta.local_concrete_fields if field.column]
    return Table(model._meta.db_table, tuple(one.column for one in fields), tuple(kind(one) for one in fields))


def kind(field: Any) -> str:
    """Return which kind of value `field` holds; a key of another table is what it refers to."""
    while field.is_relation:
        field = field.target_field
    return KINDS[field.get_internal_type()]


def migrate(migrations: Collection[Migration]) -> None:
    """Make an empty database the one that it is after `migrations`, with nothing in its tables."""
    executor = MigrationExecutor(connection)
    executor.loader = _loader(migrations, connection)
    executor.migrate(newest(migrations))


def _loader(migrations: Collection[Migration], database: BaseDatabaseWrapper | None = None) -> MigrationLoader:
    """Return a loader of the graph that Django makes for a database which has had `migrations`.

    One that replaces others is in it if all of these are among them; or else they are.
    """
    loader, given = MigrationLoader(database, replace_migrations=False), set(migrations)
    for key, one in loader.replacements.items():
        if given.issuperset(one.replaces):
            loader.graph.remove_replaced_nodes(key, one.replaces)
        else:
            loader.graph.remove_replacement_node(key, one.replaces)
    return loader
