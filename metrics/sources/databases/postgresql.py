"""PostgreSQL, through psycopg: connections to checked addresses, and one query in a transaction that reads."""

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.rows import TupleRow, tuple_row
from psycopg.types.datetime import IntervalLoader

from metrics.sources import network_policy
from metrics.sources.base import SourceError
from metrics.sources.databases.table import Table, Unreadable, check_rows
from metrics.sources.deadline import Deadline
from metrics.sources.server import ServerConfig, require_freedom, sentence

PORT = 5432
WHO = "PostgreSQL"
MODES = {"off": "disable", "on": "require", "verify": "verify-full"}
AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where Debian, Red Hat and others keep whom to trust: libpq takes one file, and its own default is nowhere."""
CLEARTEXT = "server requested a cleartext password"
"""Message of libpq when `require_auth` keeps it from sending that."""

SHOWN_MOST = 30
YEARS = re.compile(rb"(-?\d+) years?")

Connection = psycopg.Connection[TupleRow]


class _Interval(IntervalLoader):
    """Counts a year as 365.25 days, as extract(epoch from …) of PostgreSQL does."""

    def load(self, data: Buffer) -> timedelta:
        years = YEARS.match(bytes(data))
        return super().load(data) + (int(years[1]) if years else 0) * timedelta(days=0.25)


class _Tolerant(Loader):
    """Does what `wrapped` does, and returns Unreadable for what Python can't hold, such as the time infinity."""

    wrapped: ClassVar[type[Any]]

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._load = self.wrapped(oid, context).load

    def load(self, data: Buffer) -> Any:
        try:
            return self._load(data)
        except Exception:  # each loader has its own
            return Unreadable(repr(bytes(data[:SHOWN_MOST]).decode(errors="replace")))


@cache
def _tolerant() -> dict[int, type[Loader]]:
    """Return a loader for each type that psycopg knows, by the type's number; that of all others is 0."""
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_loader("interval", _Interval)
    numbers = {0, *(oid for type in adapters.types for oid in (type.oid, type.array_oid))}
    loaders = {oid: adapters.get_loader(oid, psycopg.pq.Format.TEXT) for oid in numbers}
    # no subclasses of them: what is written in C does not call what Python overrides
    return {oid: type("Tolerant", (_Tolerant,), {"wrapped": one}) for oid, one in loaders.items() if one}


@contextmanager
def reading(config: ServerConfig, database: str, deadline: Deadline) -> Iterator[Connection]:
    """Yield a connection inside a transaction that can't write and is over in time. Raises SourceError."""
    try:
        with _connect(config, database, deadline) as connection:
            deadline.watch(connection.fileno())
            connection.read_only = True
            # what a pooler in between takes: settings of this transaction, not of the session
            connection.execute(f"SET LOCAL statement_timeout = {max(1, int(deadline.left_s * 1000))}")
            connection.execute("SET LOCAL TimeZone = 'UTC'")
            connection.execute("SET LOCAL IntervalStyle = 'postgres'")
            yield connection
            connection.rollback()
    except psycopg.errors.QueryCanceled:
        raise SourceError(f"It took longer than {config.timeout_s:g} s.") from None
    except (psycopg.Error, UnicodeError) as error:  # a database may hold text that is none
        if CLEARTEXT in str(error):
            raise SourceError(f"{WHO}: the server wants the password unencrypted; set tls.") from None
        raise SourceError(sentence(WHO, error)) from None


def query(config: ServerConfig, database: str, text: str, rows_most: int) -> Table:
    """Return what `text` returns. Raises SourceError."""
    with Deadline(config.timeout_s) as deadline, reading(config, database, deadline) as connection:
        connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        for oid, loader in _tolerant().items():
            connection.adapters.register_loader(oid, loader)
        # A cursor on the server can be declared for one query that reads, nothing else; and what is not fetched is
        # not computed.
        with _cursor(connection) as cursor:
            cursor.execute(text.encode())
            rows = cursor.fetchmany(rows_most + 1)
            check_rows(rows, rows_most)
            return Table([column.name for column in cursor.description or ()], rows)


@contextmanager
def _cursor(connection: Connection) -> Iterator[psycopg.ServerCursor[TupleRow]]:
    """Yield a cursor on the server. psycopg leaves it open if the connection is cut while it is being closed."""
    cursor = connection.cursor(name="watchfloor")
    try:
        yield cursor
    finally:
        for _ in range(2):  # the second time, the connection is known to be closed
            with suppress(psycopg.Error):
                cursor.close()


def _connect(config: ServerConfig, database: str, deadline: Deadline) -> Connection:
    if config.is_socket:
        require_freedom("Sockets")
        return _open(config, database, "", deadline.left_s)
    addresses = network_policy.resolve(config.host, deadline.left_s)
    for position, address in enumerate(addresses, 1):
        try:
            return _open(config, database, address, deadline.left_s / (len(addresses) - position + 1))
        except psycopg.OperationalError:
            if position == len(addresses):
                raise
    raise AssertionError("a name that was found has an address")


def _open(config: ServerConfig, database: str, address: str, timeout_s: float) -> Connection:
    options: dict[str, Any] = {
        "host": config.host,
        "hostaddr": address,
        "port": config.port or PORT,
        "dbname": database,
        "user": config.user,
        "password": config.password.get_secret_value(),
        "application_name": "watchfloor",
        "client_encoding": "utf-8",
        "connect_timeout": max(2, int(timeout_s)),
        "sslmode": MODES[config.tls],
        "gssencmode": "disable",
        # Files in this process's home and variables in its environment are not the source's.
        "options": "",
        "passfile": "/nonexistent",
        "sslcertmode": "disable",
    }
    if config.tls == "verify":
        options["sslrootcert"] = _authorities()
    if config.tls == "off" and not config.is_socket:
        options["require_auth"] = "!password"  # never in the clear
    return psycopg.connect(**options, row_factory=tuple_row)


def _authorities() -> str:
    given = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return given or next(file for file in (*AUTHORITIES, "system") if file == "system" or os.path.exists(file))
