"""The backend itself; Django finds it by the name of this module."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

from dashboard_project.postgresql.hanging import Connection, server


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, which gives out no connection to a server that hangs."""

    def __init__(self, settings_dict: dict[str, Any], *args: Any) -> None:
        settings_dict["OPTIONS"].get("pool", {})["connection_class"] = Connection
        super().__init__(settings_dict, *args)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server.check()
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            server.suspect()
            raise
