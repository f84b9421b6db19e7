"""The backend itself; Django finds it by the name of this module."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool, PoolTimeout

from dashboard_project.postgresql.hanging import Connection, server


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, which gives out no connection to a server that hangs."""

    @property
    def pool(self) -> ConnectionPool[Any] | None:
        found: ConnectionPool[Any] | None = super().pool
        if found is not None:
            found.connection_class = Connection
        return found

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server.check()
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            server.suspect()
            raise
