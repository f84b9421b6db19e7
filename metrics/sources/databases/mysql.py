"""MySQL and MariaDB, through PyMySQL: one query in a transaction that reads, its rows fetched as they come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import pymysql
from pymysql.cursors import SSCursor

from metrics.sources import tls
from metrics.sources.base import SourceError
from metrics.sources.databases.table import Table, check_rows
from metrics.sources.deadline import Deadline
from metrics.sources.server import ServerConfig, open_socket, sentence

PORT = 3306
WHO = "The database"
STOPPED = {1969, 3024}
"""MariaDB's and MySQL's numbers for a statement that took too long."""


Connection: TypeAlias = "pymysql.Connection[SSCursor]"


class _Never:
    """Stands for the ways to sign in that send the password as it is."""

    def __init__(self, connection: Connection) -> None:
        pass

    def authenticate(self, packet: Any) -> Any:
        raise pymysql.OperationalError("the server wants the password unencrypted; set tls")


def query(config: ServerConfig, database: str, text: str, rows_most: int) -> Table:
    """Return what `text` returns. Raises SourceError."""
    with Deadline(config.timeout_s) as deadline, _connection(config, database, deadline) as connection:
        cursor = connection.cursor()
        for statement in _before(connection, deadline.left_s):
            cursor.execute(statement)
        cursor.execute(text)
        columns = [column[0] for column in cursor.description or ()]
        rows = cursor.fetchmany(rows_most + 1)
        check_rows(rows, rows_most)
        return Table(columns, rows)


def _before(connection: Connection, timeout_s: float) -> Iterator[str]:
    yield "SET SESSION TRANSACTION READ ONLY"
    yield "SET SESSION time_zone = '+00:00'"
    if "MariaDB" in connection.get_server_info():  # type: ignore[no-untyped-call]
        yield f"SET SESSION max_statement_time = {timeout_s:.3f}"
    else:
        yield f"SET SESSION max_execution_time = {max(1, int(timeout_s * 1000))}"
    yield "START TRANSACTION READ ONLY"


@contextmanager
def _connection(config: ServerConfig, database: str, deadline: Deadline) -> Iterator[Connection]:
    """Yield a connection that knows no second statement and reads no file of ours. Raises SourceError."""
    opened = open_socket(config, PORT, deadline)
    connection = _prepared(config, database)
    try:
        connection.connect(opened)
        yield connection
    except pymysql.MySQLError as error:
        if error.args and error.args[0] in STOPPED:
            raise SourceError(f"It took longer than {config.timeout_s:g} s.") from None
        raise SourceError(sentence(WHO, Exception(error.args[-1] if error.args else ""))) from None
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(sentence(WHO, error)) from None
    finally:
        _drop(connection)
        opened.close()


def _prepared(config: ServerConfig, database: str) -> Connection:
    encrypted = config.tls != "off" and not config.is_socket
    private = encrypted or config.is_socket
    plugins: dict[str, Callable[[Any], Any]] = {"mysql_clear_password": _Never, "dialog": _Never}
    return pymysql.connect(
        host=config.host,
        user=config.user,
        password=config.password.get_secret_value().encode(),  # as text it would have to be Latin-1
        database=database or None,
        ssl=tls.context(config.tls == "verify") if encrypted else None,
        ssl_disabled=not encrypted,
        auth_plugin_map={} if private else plugins,
        read_timeout=config.timeout_s,
        write_timeout=config.timeout_s,
        cursorclass=SSCursor,
        defer_connect=True,
    )


def _drop(connection: Connection) -> None:
    """Close the connection, and have nobody fetch the rest of the rows when it is forgotten."""
    result = getattr(connection, "_result", None)
    if result is not None:
        result.unbuffered_active = False
    with suppress(pymysql.Error):  # it closed itself
        connection.close()
