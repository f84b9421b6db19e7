"""Whether the database answers and is up to date, asked once and without the pool, which would keep trying."""

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
    """Return whether there are migrations that the database lacks."""
    from django.db.migrations.executor import MigrationExecutor  # not above: it imports every migration's modules

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


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
