"""Whether the database answers, asked once and without the pool, which would keep trying and keep logging."""

from django.db import connection

ANSWERS_S = 5


def ask() -> None:
    """Return when PostgreSQL answers; an SQLite file needs no asking. Raises psycopg.OperationalError within 5 s."""
    if connection.vendor == "postgresql":
        import psycopg  # not above: SQLite needs no driver

        psycopg.connect(**{"connect_timeout": ANSWERS_S, **connection.get_connection_params()}).close()
