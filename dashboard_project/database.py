"""Whether the database answers and is up to date, asked once and without the pool, which would keep trying."""

from collections.abc import Iterator
from importlib.util import find_spec
from pkgutil import iter_modules

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection

from dashboard_project import local_redis

ANSWERS_S = 5


def ask() -> None:
    """Return when PostgreSQL answers; an SQLite file needs no asking. Raises psycopg.OperationalError within 5 s."""
    if connection.vendor == "postgresql":
        import psycopg  # not above: SQLite needs no driver

        psycopg.connect(**{"connect_timeout": ANSWERS_S, **connection.get_connection_params()}).close()


def unapplied() -> bool:
    """Return whether there are migrations that the database has not noted; Django itself would import them all."""
    from django.db.migrations.recorder import MigrationRecorder

    noted = MigrationRecorder(connection).applied_migrations()
    return any(one not in noted for one in migrations())


def migrations() -> Iterator[tuple[str, str]]:
    """Yield app and name of each migration that `MigrationLoader` would load."""
    from django.db.migrations.loader import MigrationLoader  # not above: pages need none of it

    for app in apps.get_app_configs():
        name, _ = MigrationLoader.migrations_module(app.label)
        if name and (package := find_spec(name)):
            for module in iter_modules(package.submodule_search_locations or []):
                if not module.ispkg and module.name[0] not in "_~":
                    yield app.label, module.name


def driver_error() -> type[Exception]:
    import psycopg  # not above: with SQLite there is nothing to do for it

    return psycopg.Error


def refusal(error: Exception) -> str:
    """Return in a sentence that the database can't be used because of `error`."""
    url = local_redis.without_password(settings.DATABASE_URL)
    return f"The database at {url} can't be used ({local_redis.reason(error)})."


def obstacle() -> str:
    """Return in a sentence why no query can go well: nobody answers, or tables are missing. Else nothing."""
    try:
        ask()
        if not unapplied():
            return ""
    except (DatabaseError, driver_error()) as error:
        return refusal(error)
    url = local_redis.without_password(settings.DATABASE_URL)
    return (
        f"The database at {url} is empty, or older than this code. DATA_DIR or DATABASE_URL may be others than those "
        "of the processes; make run and manage.py migrate bring it up to date."
    )
