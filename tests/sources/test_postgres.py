"""A real PostgreSQL and its standby: what the statistics views say, and to whom."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import ValidationError

from metrics.sample import Sample, check
from metrics.sources import network_policy
from metrics.sources.base import SourceError
from metrics.sources.postgres import Postgres, PostgresConfig
from tests import postgresql
from tests.postgresql import Server
from tests.sources.between import Between
from tests.sources.documented import undocumented


@pytest.fixture(scope="module")
def server(a_postgresql: Server) -> Server:
    a_postgresql.run("GRANT pg_monitor TO reader")
    return a_postgresql


@pytest.fixture(scope="module")
def standby(server: Server, short_folder: Path) -> Iterator[Server]:
    (short_folder / "standby").mkdir()
    with postgresql.standby(server, short_folder / "standby") as running:
        server.run("CREATE TABLE written (id int)")
        until = time.monotonic() + 20
        with session(running) as looking:
            while not looking.execute("SELECT pg_last_xact_replay_timestamp()").fetchall()[0][0]:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield running


def on(server: Server, **fields: Any) -> PostgresConfig:
    where = {"host": "127.0.0.1", "port": server.port, "user": server.user, "password": server.password}
    return PostgresConfig.model_validate({**where, "name": "db", **fields})


def collected(config: PostgresConfig) -> list[Sample]:
    samples = Postgres().collect(config)
    check(samples, time.time())
    return samples


def values(config: PostgresConfig) -> dict[tuple[str, ...], float]:
    return {
        (one.metric, *(value for label, value in one.labels.items() if label != "server")): one.value
        for one in collected(config)
    }


@contextmanager
def session(server: Server) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(host=str(server.folder), port=server.port, user="postgres") as connection:
        yield connection


@contextmanager
def only_session(server: Server) -> Iterator["psycopg.Connection[Any]"]:
    """Yield a session once those that were closed before have ended, which takes the server a moment."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    until = time.monotonic() + 10
    with session(server) as connection:
        while connection.execute(others).fetchall() != [(0,)]:
            assert time.monotonic() < until
            connection.rollback()  # a transaction sees the same all the time
            time.sleep(0.02)
        yield connection


def test_sessions_by_state(server: Server) -> None:
    with only_session(server) as waiting:
        waiting.execute("SELECT 1")
        found = values(on(server))
    assert found["postgres_connections", "idle in transaction"] == 1
    assert found["postgres_connections", "active"] == 1
    assert found["postgres_connections", "idle in transaction (aborted)"] == 0
    assert found["postgres_connections_limit",] == 100


def test_who_may_not_look_sees_that_there_are_sessions(server: Server) -> None:
    server.run("DROP USER IF EXISTS stranger", "CREATE USER stranger PASSWORD 'guess'")
    with only_session(server) as waiting:
        waiting.execute("SELECT 1")
        found = values(on(server, user="stranger", password="guess"))
    assert found["postgres_connections", "hidden"] == 1
    assert found["postgres_connections", "idle in transaction"] == 0


def test_transactions_and_what_they_read_are_counted(server: Server) -> None:
    before = values(on(server))
    with session(server) as busy:
        for _ in range(3):
            busy.execute("SELECT count(*) FROM pg_class")
            busy.commit()
        busy.execute("SELECT 1")
        busy.rollback()
        busy.execute("SELECT pg_stat_force_next_flush()")
    after = values(on(server))
    assert after["postgres_commits_total", "postgres"] >= before["postgres_commits_total", "postgres"] + 3
    assert after["postgres_rollbacks_total", "postgres"] >= before["postgres_rollbacks_total", "postgres"] + 1
    assert 0 < after["postgres_cache_hit_percent", "postgres"] <= 100
    assert after["postgres_transaction_age", "postgres"] >= 0


def test_counters_and_units_are_said_to_be(server: Server) -> None:
    said = {one.metric: (one.type, one.unit) for one in collected(on(server))}
    assert said["postgres_commits_total"] == ("counter", None)
    assert said["postgres_size_bytes"] == (None, "bytes")


def test_databases_have_sizes_and_only_as_many_as_asked_for_are_told(server: Server) -> None:
    server.run("DROP DATABASE IF EXISTS other", "CREATE DATABASE other")
    sizes = {key[1]: value for key, value in values(on(server)).items() if key[0] == "postgres_size_bytes"}
    assert sizes.keys() == {"postgres", "other"}
    assert min(sizes.values()) > 1_000_000
    told = [one for one in collected(on(server, databases_most=1)) if one.metric == "postgres_size_bytes"]
    assert [one.labels["database"] for one in told] == ["postgres"]


def test_who_waits_for_a_lock_and_for_how_long(server: Server) -> None:
    server.run("CREATE TABLE IF NOT EXISTS queue (id int)")
    with session(server) as holder, session(server) as waiter:
        holder.execute("LOCK TABLE queue")
        waiting = threading.Thread(target=_try_to_lock, args=(waiter,))
        waiting.start()
        until = time.monotonic() + 10
        while values(on(server))["postgres_locks_waiting",] != 1:
            assert time.monotonic() < until
        found = values(on(server))
        holder.rollback()
        waiting.join(10)
    assert 0 < found["postgres_longest_transaction_seconds",] < 20
    assert 0 < found["postgres_longest_query_seconds",] <= found["postgres_longest_transaction_seconds",]


def _try_to_lock(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("LOCK TABLE queue")
    connection.rollback()


def test_replication_is_seen_from_both_ends(server: Server, standby: Server) -> None:
    server.run("INSERT INTO written VALUES (1)")
    until = time.monotonic() + 20
    while (above := values(on(server)))["postgres_replicas",] != 1:
        assert time.monotonic() < until
    behind = {key: value for key, value in above.items() if key[0] == "postgres_replica_behind_bytes"}
    assert [0 <= value < 1e8 for value in behind.values()] == [True]
    assert above["postgres_is_standby",] == 0
    assert ("postgres_replication_lag_seconds",) not in above
    below = values(on(standby))
    assert below["postgres_is_standby",] == 1
    assert 0 <= below["postgres_replication_lag_seconds",] < 20


def test_a_standby_that_waits_falls_behind(server: Server, standby: Server) -> None:
    standby.run("SELECT pg_wal_replay_pause()")
    try:
        server.run("INSERT INTO written SELECT generate_series(1, 20000)")
        until = time.monotonic() + 20
        while values(on(standby))["postgres_replication_lag_seconds",] == 0:
            assert time.monotonic() < until
        found = {key[0]: value for key, value in values(on(server)).items() if "replica_" in key[0]}
        assert found["postgres_replica_behind_bytes"] > 100_000
    finally:
        standby.run("SELECT pg_wal_replay_resume()")


def test_every_metric_is_documented(server: Server, standby: Server) -> None:
    found = [*collected(on(server)), *collected(on(standby))]
    assert len({one.metric for one in found}) > 18
    assert undocumented(found) == set()


def test_it_may_be_asked_by_its_socket_by_administrators(server: Server) -> None:
    config = on(server, host=str(server.folder), user="postgres", password="")
    assert values(config)["postgres_connections", "active"] == 1
    with network_policy.limited(), pytest.raises(SourceError, match="administrators"):
        collected(config)


def test_a_connection_that_freezes_is_given_up_and_what_was_read_is_kept(server: Server) -> None:
    with (
        Between(server.port, freeze_on=b"pg_stat_database") as between,
        pytest.raises(SourceError, match=r"^It took longer than 2 s\.$") as failed,
    ):
        collected(on(server, port=between.port, timeout_s=2))
    found = {one.metric for one in failed.value.samples}
    assert {"postgres_connections", "postgres_uptime_seconds"} <= found


@pytest.mark.parametrize("fields", [{}, {"host": "x", "database": ""}, {"host": "x", "databases_most": 0}])
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PostgresConfig.model_validate(fields)
