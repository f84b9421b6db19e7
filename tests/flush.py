"""Emptying the database after a test that commits: only tables that have rows, where Django truncates every one.

A truncated table and each of its indexes is a new file to PostgreSQL: with sixty tables a third of a second a test.
"""

from functools import cache
from typing import Any

from django.core.management.commands.flush import Command
from django.db import connections, transaction

KEPT = {"django_content_type", "auth_permission"}
"""Tables of what is the same for every test; Django makes their rows anew after it has emptied them."""


def empty(_: Command, **options: Any) -> None:
    """Remove all rows of the database `options` name, as `manage.py flush` does."""
    connection = connections[options["database"]]
    is_postgresql = connection.vendor == "postgresql"
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        names = _tables(connection.alias)
        cursor.execute(" UNION ALL ".join(f"SELECT '{one}' WHERE EXISTS (SELECT 1 FROM \"{one}\")" for one in names))
        filled = [name for (name,) in cursor.fetchall()]
        # Rows that refer to others go in any order.
        defer = "SET LOCAL session_replication_role = replica" if is_postgresql else "PRAGMA defer_foreign_keys = ON"
        cursor.execute(defer)
        for name in filled:
            cursor.execute(f'DELETE FROM "{name}"')


@cache
def _tables(alias: str) -> list[str]:
    names = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(names) - KEPT)


def install() -> None:
    """Have Django's tests empty the database in this way."""
    Command.handle = empty  # type: ignore[method-assign, assignment]
