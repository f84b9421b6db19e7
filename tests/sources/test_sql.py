"""Queries against real databases: what is read, and that nothing can be written, waited for or told twice."""

import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import LazySettings
from pydantic import ValidationError

from metrics.sample import check
from metrics.sources import deadline, network_policy
from metrics.sources.base import SourceError
from metrics.sources.sql import Sql, SqlConfig
from tests import mariadb, postgresql
from tests.sources import certificates
from tests.sources.between import Between, speaking
from tests.sources.names import lead

Trust = Callable[[Path], None]
ORDERS = (
    "CREATE TABLE orders (shop varchar(20), amount numeric(8,2), placed {timestamp})",
    "INSERT INTO orders VALUES ('berne', 10.50, '2026-11-20 12:00:00'), ('berne', 4, '2026-11-20 11:00:00'),"
    " ('Zürich', 7, NULL), ('basel', NULL, '2026-11-20 10:00:00')",
)
BY_SHOP = "SELECT shop, sum(amount) AS value, count(*) AS value_count FROM orders GROUP BY shop ORDER BY shop"
ENGINES = ("postgresql", "mariadb", "sqlite")
SLOW = {
    "postgresql": "SELECT pg_sleep(20)::text AS x, 1 AS value",
    "mariadb": "SELECT SLEEP(20) AS value",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS value FROM n",
}
MANY = {
    "postgresql": "SELECT i AS value, i::text AS i FROM (SELECT generate_series(1, 100000000) AS i) AS x",
    "mariadb": "SELECT seq AS value, CAST(seq AS CHAR) AS i FROM seq_1_to_100000000",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS value, '' || i AS i FROM n",
}


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


GREETING = packet(
    0,
    b"\x0a5.7.0\0" + b"\1\0\0\0" + b"saltsalt\0" + b"\xff\xf7" + b"\x21" + b"\2\0" + b"\xff\x81" + b"\x15" + bytes(10)
    + b"saltsaltsalt\0" + b"mysql_native_password\0",
)  # fmt: skip
SWITCH = packet(2, b"\xfemysql_clear_password\0")
"""First packet of a MySQL server, and its request for the password in the clear."""
PLEASE_IN_THE_CLEAR = b"R" + (8).to_bytes(4) + (3).to_bytes(4)
"""The same of PostgreSQL: AuthenticationCleartextPassword."""


@pytest.fixture(scope="module")
def _orders(a_postgresql: postgresql.Server, a_mariadb: mariadb.Server) -> None:
    a_postgresql.run(*(one.format(timestamp="timestamp") for one in ORDERS), "GRANT ALL ON orders TO reader")
    a_mariadb.run(*(one.format(timestamp="datetime") for one in ORDERS))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "shop's #1.sqlite3"
    with sqlite3.connect(path) as connection:
        for statement in ORDERS:
            connection.execute(statement.format(timestamp="text"))
    connection.close()
    return path


@pytest.fixture
def databases(
    _orders: None, a_postgresql: postgresql.Server, a_mariadb: mariadb.Server, file: Path, settings: LazySettings
) -> dict[str, dict[str, Any]]:
    """The configs that lead to the three databases."""
    settings.SQLITE_DIRS = [file.parent]
    return {
        "postgresql": _on(a_postgresql, engine="postgresql"),
        "mariadb": _on(a_mariadb, engine="mariadb"),
        "sqlite": {"engine": "sqlite", "database": str(file)},
    }


def _on(server: postgresql.Server | mariadb.Server, **fields: Any) -> dict[str, Any]:
    where = {"host": "127.0.0.1", "port": server.port, "database": server.database}
    return {**where, "user": server.user, "password": server.password, **fields}


def ask(config: dict[str, Any], query: str, **fields: Any) -> list[tuple[Any, ...]]:
    """Run a query; return what each sample says, having checked that it would be accepted."""
    made = SqlConfig.model_validate({"metric": "orders", "query": query, **config, **fields})
    samples = Sql().collect(made)
    check(samples, time.time() + 1e9)
    return [(one.metric, one.value, *one.labels.values()) for one in samples]


def refusal(config: dict[str, Any], query: str, **fields: Any) -> str:
    with pytest.raises(SourceError) as refused:
        ask(config, query, **fields)
    assert str(refused.value).endswith(".")
    return str(refused.value)


def count(config: dict[str, Any]) -> float:
    return float(ask(config, "SELECT count(*) AS value FROM orders")[0][1])


@pytest.mark.parametrize("engine", ENGINES)
class TestEveryEngine:
    def test_columns_become_samples_and_labels(self, engine: str, databases: dict[str, Any]) -> None:
        assert sorted(ask(databases[engine], BY_SHOP)) == [
            ("orders", 7.0, "Zürich"),
            ("orders", 14.5, "berne"),
            ("orders_count", 1.0, "Zürich"),
            ("orders_count", 1.0, "basel"),
            ("orders_count", 2.0, "berne"),
        ]

    def test_a_time_is_read_as_utc(self, engine: str, databases: dict[str, Any]) -> None:
        config = {"metric": "x", "query": "SELECT 1 AS value, max(placed) AS at FROM orders", **databases[engine]}
        assert [one.at for one in Sql().collect(SqlConfig.model_validate(config))] == [1_795_176_000.0]

    def test_a_query_may_end_with_a_semicolon_and_hold_a_per_cent_sign(
        self, engine: str, databases: dict[str, Any]
    ) -> None:
        query = "SELECT count(*) AS value FROM orders WHERE shop LIKE 'b%' -- 100 %s\n;"
        assert ask(databases[engine], query) == [("orders", 3.0)]

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT 1 AS value; DROP TABLE orders",
            "SELECT 1 AS value; DELETE FROM orders; SELECT 2 AS value",
            "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) AS value FROM gone",
            "SELECT 1 AS value INTO orders_too FROM orders",
        ],
    )
    def test_a_write_is_refused(self, engine: str, databases: dict[str, Any], query: str) -> None:
        before = count(databases[engine])
        refusal(databases[engine], query)
        assert count(databases[engine]) == before

    def test_a_slow_query_is_stopped(self, engine: str, databases: dict[str, Any]) -> None:
        began = time.monotonic()
        assert refusal(databases[engine], SLOW[engine], timeout_s=0.4) == "It took longer than 0.4 s."
        assert time.monotonic() - began < 3

    def test_more_rows_than_allowed_are_refused_without_fetching_them(
        self, engine: str, databases: dict[str, Any]
    ) -> None:
        began = time.monotonic()
        assert refusal(databases[engine], MANY[engine], rows_most=50) == "The query returns more than 50 rows."
        assert time.monotonic() - began < 5

    def test_as_many_rows_as_allowed_are_fine(self, engine: str, databases: dict[str, Any]) -> None:
        assert len(ask(databases[engine], f"{MANY[engine]} LIMIT 50", rows_most=50)) == 50

    def test_what_the_database_says_is_passed_on(self, engine: str, databases: dict[str, Any]) -> None:
        assert "nothing_of_that_name" in refusal(databases[engine], "SELECT 1 AS value FROM nothing_of_that_name")

    def test_a_column_of_the_wrong_type_is_named(self, engine: str, databases: dict[str, Any]) -> None:
        said = refusal(databases[engine], "SELECT shop AS value FROM orders ORDER BY 1 DESC")
        assert said == "Column value in row 1 is text, not a number."


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
class TestServers:
    def test_a_wrong_password_is_not_repeated(self, engine: str, databases: dict[str, Any]) -> None:
        said = refusal({**databases[engine], "password": "hush"}, "SELECT 1 AS value")
        assert "reader" in said
        assert "hush" not in said

    def test_nobody_there(self, engine: str, databases: dict[str, Any]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        assert "refused" in refusal({**databases[engine], "port": port}, "SELECT 1 AS value")

    def test_somebody_who_says_nothing(self, engine: str, databases: dict[str, Any]) -> None:
        began = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            refusal({**databases[engine], "port": silent.getsockname()[1]}, "SELECT 1 AS value", timeout_s=0.3)
        assert time.monotonic() - began < 4

    def test_somebody_who_speaks_something_else(self, engine: str, databases: dict[str, Any]) -> None:
        with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            refusal({**databases[engine], "port": port}, "SELECT 1 AS value", timeout_s=2)

    def test_an_address_that_is_off_limits_is_not_connected_to(self, engine: str, databases: dict[str, Any]) -> None:
        with network_policy.limited():
            assert "loopback" in refusal(databases[engine], "SELECT 1 AS value")

    def test_a_name_leads_to_the_address_that_was_checked(
        self, engine: str, databases: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lead(monkeypatch, db=["127.0.0.1"])
        assert ask({**databases[engine], "host": "db.test"}, "SELECT 1 AS value") == [("orders", 1.0)]

    def test_a_name_with_an_address_that_does_not_answer_is_tried_at_the_next(
        self, engine: str, databases: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lead(monkeypatch, db=["127.0.0.9", "127.0.0.1"])
        assert ask({**databases[engine], "host": "db.test"}, "SELECT 1 AS value") == [("orders", 1.0)]

    def test_a_connection_that_freezes_is_given_up(
        self, engine: str, databases: dict[str, Any], a_postgresql: postgresql.Server, a_mariadb: mariadb.Server
    ) -> None:
        """The server can't stop what it can't say."""
        port = databases[engine]["port"]
        began = time.monotonic()
        with Between(port, freeze_on=SLOW[engine][:12].encode()) as between:
            said = refusal({**databases[engine], "port": between.port}, SLOW[engine], timeout_s=1)
        assert said == "It took longer than 1 s."
        assert time.monotonic() - began < 4


class TestPostgresql:
    def test_one_cell_that_python_can_not_hold_loses_no_other_row(self, databases: dict[str, Any]) -> None:
        cells = {
            "'infinity'::timestamptz": "'infinity'",
            "timestamptz '10000-01-01'": "'10000-01-01 00:00:00+00'",
            "timestamp '0044-03-15 BC'": "'0044-03-15 00:00:00 BC'",
            "date '-infinity'": "'-infinity'",
            "interval '9000000 years'": "'9000000 years'",
            "time '24:00'": "'24:00:00'",
            "repeat('9', 5000)::json": f"'{'9' * 30}'",
            "ARRAY['infinity'::timestamptz]": "of the type list",
            "tstzrange('infinity', NULL)": "of the type Range",
        }
        problems = {}
        for cell, shown in cells.items():
            query = f"WITH x AS (SELECT {cell} AS c) SELECT c AS at, 1 AS value FROM x"
            said = refusal(databases["postgresql"], query)
            if said != f"Column at in row 1 is {shown}, not a time.":
                problems[cell] = said
        assert problems == {}
        query = "SELECT * FROM (VALUES (1, timestamptz '2026-11-20 12:00'), (2, 'infinity')) AS x (value, at)"
        found = Sql().collect(SqlConfig.model_validate({"metric": "x", "query": query, **databases["postgresql"]}))
        assert ([one.value for one in found], found.note) == (
            [1],
            "Left out: Column at in row 2 is 'infinity', not a time.",
        )

    @pytest.mark.parametrize(
        "interval", ["1 year", "-1 year", "1 year 2 months 3 days 04:05:06.5", "13 months", "1 year -400 days", "23:00"]
    )
    def test_an_interval_has_the_seconds_that_the_database_counts(
        self, databases: dict[str, Any], interval: str
    ) -> None:
        query = f"SELECT interval '{interval}' AS value, extract(epoch FROM interval '{interval}') AS value_epoch"
        ((_, seconds), (_, counted)) = ask(databases["postgresql"], query)
        assert seconds == counted

    def test_an_interval_in_another_style_is_the_same(
        self, databases: dict[str, Any], a_postgresql: postgresql.Server
    ) -> None:
        a_postgresql.run("ALTER ROLE reader SET IntervalStyle = 'iso_8601'")
        try:
            assert ask(databases["postgresql"], "SELECT interval '1 year' AS value") == [("orders", 31_557_600.0)]
        finally:
            a_postgresql.run("ALTER ROLE reader RESET IntervalStyle")

    def test_a_function_can_not_write_either(self, databases: dict[str, Any], a_postgresql: postgresql.Server) -> None:
        a_postgresql.run(
            "CREATE OR REPLACE FUNCTION spoil() RETURNS int LANGUAGE sql AS $$ DELETE FROM orders RETURNING 1 $$"
        )
        said = refusal(databases["postgresql"], "SELECT spoil() AS value")
        assert said == "PostgreSQL: cannot execute DELETE in a read-only transaction."

    @pytest.mark.parametrize(
        "setting", ["transaction_read_only', 'off", "transaction_isolation', 'serializable", "statement_timeout', '0"]
    )
    def test_the_limits_can_not_be_lifted_by_the_query(self, databases: dict[str, Any], setting: str) -> None:
        query = f"SELECT set_config('{setting}', true)::text AS said, pg_sleep(20)::text AS x, 1 AS value"
        began = time.monotonic()
        refusal(databases["postgresql"], query, timeout_s=0.5)
        assert time.monotonic() - began < 3

    def test_the_password_never_goes_out_in_the_clear(self, databases: dict[str, Any]) -> None:
        with speaking(b"", PLEASE_IN_THE_CLEAR) as port:
            said = refusal({**databases["postgresql"], "port": port}, "SELECT 1 AS value")
        assert said == "PostgreSQL: the server wants the password unencrypted; set tls."

    def test_a_cell_can_not_take_all_memory(self, databases: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deadline, "READ_MOST_BYTES", 5 * 1024**2)
        said = refusal(databases["postgresql"], "SELECT repeat('x', 20000000) AS l, 1 AS value")
        assert said == "It was sent more than 5 MiB."

    def test_its_socket_is_for_administrators(self, a_postgresql: postgresql.Server) -> None:
        config = _on(a_postgresql, engine="postgresql", host=str(a_postgresql.folder), user="postgres")
        assert ask(config, "SELECT 1 AS value") == [("orders", 1.0)]
        with network_policy.limited():
            said = refusal(config, "SELECT 1 AS value")
        assert said == "Sockets of this machine are only for sources made by administrators."

    def test_what_lies_in_the_environment_is_not_used(
        self, databases: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        passwords = tmp_path / "pgpass"
        passwords.write_text(f"*:*:*:reader:{postgresql.Server.password}\n")
        passwords.chmod(0o600)
        monkeypatch.setenv("PGPASSWORD", postgresql.Server.password)
        monkeypatch.setenv("PGPASSFILE", str(passwords))
        assert "password" in refusal({**databases["postgresql"], "password": ""}, "SELECT 1 AS value")

    @pytest.mark.parametrize("mode", ["on", "verify"])
    def test_tls(self, databases: dict[str, Any], mode: str, tmp_path: Path, trust: Trust) -> None:
        certificate = certificates.make(["localhost"])
        with Between(databases["postgresql"]["port"], tls=certificate.server(tmp_path)) as between:
            config = {**databases["postgresql"], "host": "localhost", "port": between.port, "tls": mode}
            if mode == "verify":
                assert "certificate verify failed" in refusal(config, "SELECT 1 AS value")
                trust(tmp_path / "server.pem")
                assert "does not match host name" in refusal({**config, "host": "127.0.0.1"}, "SELECT 1 AS value")
            assert ask(config, "SELECT 1 AS value") == [("orders", 1.0)]

    def test_a_server_without_tls_is_refused_if_it_is_asked_for(self, databases: dict[str, Any]) -> None:
        assert "does not support SSL" in refusal({**databases["postgresql"], "tls": "on"}, "SELECT 1 AS value")


class TestMariadb:
    @pytest.mark.parametrize("mode", ["on", "verify"])
    def test_tls(
        self,
        databases: dict[str, Any],
        mode: str,
        a_mariadb: mariadb.Server,
        trust: Trust,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        config = {**databases["mariadb"], "host": "localhost", "tls": mode}
        status = "information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_version'"
        query = f"SELECT VARIABLE_VALUE AS v, 1 AS value FROM {status}"
        if mode == "verify":
            assert "certificate verify failed" in refusal(config, query)
            trust(a_mariadb.certificate)
            lead(monkeypatch, other=["127.0.0.1"])
            assert "Hostname mismatch" in refusal({**config, "host": "other.test"}, query)
        assert ask(config, query)[0][2].startswith("TLS")

    def test_its_socket_is_for_administrators(self, a_mariadb: mariadb.Server) -> None:
        config = _on(a_mariadb, engine="mysql", host=str(a_mariadb.socket))
        assert ask(config, "SELECT 1 AS value") == [("orders", 1.0)]
        with network_policy.limited():
            assert "administrators" in refusal(config, "SELECT 1 AS value")

    def test_the_password_never_goes_out_in_the_clear(
        self, databases: dict[str, Any], a_mariadb: mariadb.Server
    ) -> None:
        """A server may ask for it, by switching to another way of signing in."""
        with speaking(GREETING, SWITCH) as port:
            said = refusal({**databases["mariadb"], "port": port}, "SELECT 1 AS value")
        assert said == "The database: the server wants the password unencrypted; set tls."

    def test_a_file_of_ours_is_not_handed_over(self, databases: dict[str, Any], a_mariadb: mariadb.Server) -> None:
        refusal(databases["mariadb"], "SELECT 1 AS value INTO OUTFILE '/tmp/watchfloor-was-here'")
        assert not Path("/tmp/watchfloor-was-here").exists()


class TestSqlite:
    def test_text_that_is_not_utf_8_loses_no_other_row(self, databases: dict[str, Any]) -> None:
        query = "SELECT cast(x'ff' AS text) AS shop, 1 AS value UNION ALL SELECT 'Zürich', 2"
        found = Sql().collect(SqlConfig.model_validate({"metric": "x", "query": query, **databases["sqlite"]}))
        assert [one.labels["shop"] for one in found] == ["Zürich"]
        assert found.note == "Left out: Column shop in row 1 is bytes, and a label has to be text."

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT load_extension('x') AS value",
            "SELECT 1 AS value FROM pragma_table_info('orders')",
            "WITH x AS (SELECT 1) INSERT INTO orders SELECT 'x', 1, NULL",
            "WITH x AS (SELECT 1) DELETE FROM orders",
        ],
    )
    def test_it_may_select_and_nothing_else(self, databases: dict[str, Any], query: str) -> None:
        assert "SQLite: not authorized" in refusal(databases["sqlite"], query)

    @pytest.mark.parametrize(
        "query", ["SELECT hex(zeroblob(900000)) AS x, 1 AS value", "SELECT zeroblob(1e9) AS value"]
    )
    def test_a_cell_can_not_take_all_memory(self, databases: dict[str, Any], query: str) -> None:
        assert refusal(databases["sqlite"], query) == "SQLite: string or blob too big."

    def test_a_file_elsewhere_is_refused(self, databases: dict[str, Any], file: Path, tmp_path: Path) -> None:
        for path in (tmp_path / "other.sqlite3", f"{file.parent}/../x.sqlite3", "/etc/passwd"):
            said = refusal({**databases["sqlite"], "database": str(path)}, "SELECT 1 AS value")
            assert said == f"{path} is in none of the folders of SQLITE_DIRS."

    def test_a_link_out_of_the_folder_is_refused(self, databases: dict[str, Any], file: Path, tmp_path: Path) -> None:
        (tmp_path / "real.sqlite3").touch()
        (file.parent / "link.sqlite3").symlink_to(tmp_path / "real.sqlite3")
        config = {**databases["sqlite"], "database": str(file.parent / "link.sqlite3")}
        assert "none of the folders" in refusal(config, "SELECT 1 AS value")

    def test_a_file_that_is_not_there_is_not_made(self, databases: dict[str, Any], file: Path) -> None:
        missing = file.parent / "missing.sqlite3"
        assert (
            refusal({**databases["sqlite"], "database": str(missing)}, "SELECT 1 AS value") == f"{missing} is no file."
        )
        assert not missing.exists()

    def test_a_file_that_is_something_else(self, databases: dict[str, Any], file: Path) -> None:
        (file.parent / "text").write_text("not a database, but long enough to be looked at" * 30)
        config = {**databases["sqlite"], "database": str(file.parent / "text")}
        assert refusal(config, "SELECT count(*) AS value FROM x") == "SQLite: file is not a database."

    def test_without_the_setting_it_is_off(self, databases: dict[str, Any], settings: LazySettings) -> None:
        settings.SQLITE_DIRS = []
        assert "SQLITE_DIRS" in refusal(databases["sqlite"], "SELECT 1 AS value")

    def test_it_is_for_administrators(self, databases: dict[str, Any]) -> None:
        with network_policy.limited():
            said = refusal(databases["sqlite"], "SELECT 1 AS value")
        assert said == "Files of this machine are only for sources made by administrators."


GOOD = {"engine": "postgresql", "host": "db", "database": "shop", "metric": "orders", "query": "SELECT 1 AS value"}


class TestConfig:
    @pytest.mark.parametrize(
        "fields",
        [
            {"engine": "oracle"},
            {"host": ""},
            {"host": "a,b"},
            {"host": "a b"},
            {"engine": "sqlite"},
            {"database": ""},
            {"query": "DROP TABLE orders"},
            {"query": ""},
            {"metric": "2xx"},
            {"metric": ""},
            {"port": 0},
            {"timeout_s": 26},
            {"rows_most": 0},
            {"rows_most": 10_001},
            {"units": {"value": "x" * 21}},
            {"tls": "maybe"},
            {"dsn": "postgresql://x"},
        ],
    )
    def test_a_bad_one_is_refused(self, fields: dict[str, Any]) -> None:
        SqlConfig.model_validate(GOOD)
        with pytest.raises(ValidationError):
            SqlConfig.model_validate({**GOOD, **fields})

    def test_the_password_is_not_shown(self) -> None:
        assert "hush" not in repr(SqlConfig.model_validate({**GOOD, "password": "hush"}))


@pytest.mark.parametrize(
    "query",
    [
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT max(i) AS value FROM c",
        # functions that look at no clock: a long text in a longer one, where each place nearly fits
        "WITH t AS (SELECT replace(hex(zeroblob(450000)), '00', 'a') AS a) "
        "SELECT instr(a || a, a || 'b') AS value FROM t",
    ],
    ids=["recursion", "instr"],
)
def test_sqlite_ends_in_time_whatever_it_does(query: str, file: Path, settings: LazySettings) -> None:
    settings.SQLITE_DIRS = [file.parent]
    began = time.monotonic()
    config = {"engine": "sqlite", "database": str(file)}
    assert refusal(config, query, timeout_s=0.3) == "It took longer than 0.3 s."
    assert time.monotonic() - began < 20
    assert not [one for one in psutil.Process().children() if "sqlite_process" in " ".join(one.cmdline())]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT length(randomblob(1000000000)) AS value",
        "SELECT length(zeroblob(2000000)) AS value",
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 1000000) "
        "SELECT length(group_concat(i)) AS value FROM c",
    ],
)
def test_sqlite_makes_nothing_that_is_large(query: str, file: Path, settings: LazySettings) -> None:
    settings.SQLITE_DIRS = [file.parent]
    assert "too big" in refusal({"engine": "sqlite", "database": str(file)}, query)
