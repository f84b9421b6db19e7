"""A PostgreSQL server, by what its statistics views say of it.

The views: https://www.postgresql.org/docs/current/monitoring-stats.html. A user without the role pg_monitor sees of
other users' sessions only that they exist.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg.rows import dict_row
from pydantic import Field

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources.base import SourceKind, keeping
from metrics.sources.databases.postgresql import PORT, Connection, reading
from metrics.sources.deadline import Deadline
from metrics.sources.server import NamedServerConfig

STATES = ("active", "idle", "idle in transaction", "idle in transaction (aborted)")

SESSIONS = """
SELECT coalesce(state, 'hidden') AS state, count(*) AS sessions
FROM pg_stat_activity
WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
GROUP BY 1
"""
ONE = """
SELECT
    current_setting('max_connections')::int AS connections_limit,
    (SELECT count(*) FROM pg_locks WHERE NOT granted) AS locks_waiting,
    coalesce(extract(epoch FROM max(now() - xact_start)), 0) AS longest_transaction_seconds,
    coalesce(extract(epoch FROM max(now() - query_start) FILTER (WHERE state = 'active')), 0) AS longest_query_seconds,
    extract(epoch FROM now() - pg_postmaster_start_time()) AS uptime_seconds,
    pg_is_in_recovery() AS is_standby,
    CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp())
    END AS replication_lag_seconds
FROM pg_stat_activity
WHERE datid IS NOT NULL AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'
"""
DATABASES = """
SELECT
    stat.datname AS database, xact_commit, xact_rollback, deadlocks, blks_hit, blks_read, temp_bytes,
    age(database.datfrozenxid) AS transaction_age,
    CASE
        WHEN has_database_privilege(stat.datname, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
        THEN pg_database_size(stat.datid)
    END AS size
FROM pg_stat_database AS stat
JOIN pg_database AS database ON database.oid = stat.datid
WHERE database.datallowconn AND NOT database.datistemplate
ORDER BY pg_stat_get_db_numbackends(stat.datid) DESC, stat.datname
LIMIT %s
"""
REPLICAS = """
SELECT
    coalesce(nullif(application_name, ''), 'unnamed') || coalesce(' ' || host(client_addr), '') AS replica,
    greatest(0, max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))) AS behind,
    max(extract(epoch FROM replay_lag)) AS lag
FROM pg_stat_replication
WHERE NOT pg_is_in_recovery()
GROUP BY 1
ORDER BY 1
LIMIT 100
"""
GAUGES = {
    "connections_limit": None,
    "locks_waiting": None,
    "longest_transaction_seconds": "seconds",
    "longest_query_seconds": "seconds",
    "uptime_seconds": "seconds",
    "is_standby": None,
    "replication_lag_seconds": "seconds",
}
COUNTERS = {
    "xact_commit": ("postgres_commits_total", None),
    "xact_rollback": ("postgres_rollbacks_total", None),
    "deadlocks": ("postgres_deadlocks_total", None),
    "blks_hit": ("postgres_blocks_hit_total", None),
    "blks_read": ("postgres_blocks_read_total", None),
    "temp_bytes": ("postgres_temporary_bytes_total", "bytes"),
}


class PostgresConfig(NamedServerConfig):
    """Which server, and how much of it."""

    database: str = Field(default="postgres", min_length=1, max_length=63, description="Database to connect to.")
    databases_most: int = Field(
        default=50, ge=1, le=500, title="Databases at most", description="How many databases to tell of, busiest first."
    )


class Postgres(SourceKind[PostgresConfig]):
    """Connections, transactions, sizes, cache, locks and replication of a PostgreSQL server."""

    kind = "postgres"
    config_class = PostgresConfig
    group = "servers"

    def collect(self, config: PostgresConfig) -> list[Sample]:
        labels, found = {"server": config.label(PORT)}, list[Sample]()
        with (
            keeping(found),
            Deadline(config.timeout_s) as deadline,
            reading(config, config.database, deadline) as connection,
        ):
            found += _sessions(_rows(connection, SESSIONS), labels)
            found += _one(_rows(connection, ONE)[0], labels)
            found += _databases(_rows(connection, DATABASES, config.databases_most), labels)
            found += _replicas(_rows(connection, REPLICAS), labels)
        return found


def _rows(connection: Connection, query: str, *arguments: int) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), arguments or None).fetchall()


def _sessions(rows: list[dict[str, Any]], labels: Mapping[str, str]) -> Iterator[Sample]:
    counts = dict.fromkeys(STATES, 0) | {row["state"]: row["sessions"] for row in rows}
    for state, count in counts.items():
        yield Sample("postgres_connections", count, {**labels, "state": state})


def _one(row: dict[str, Any], labels: Mapping[str, str]) -> Iterator[Sample]:
    for word, unit in GAUGES.items():
        if row[word] is not None:
            yield Sample(f"postgres_{word}", float(row[word]), labels, unit=unit)


def _databases(rows: list[dict[str, Any]], labels: Mapping[str, str]) -> Iterator[Sample]:
    for row in rows:
        which = {**labels, "database": row["database"]}
        for word, (metric, unit) in COUNTERS.items():
            yield Sample(metric, float(row[word]), which, unit=unit, type="counter")
        if blocks := row["blks_hit"] + row["blks_read"]:
            yield Sample("postgres_cache_hit_percent", 100 * row["blks_hit"] / blocks, which, unit="percent")
        yield Sample("postgres_transaction_age", float(row["transaction_age"]), which)
        if row["size"] is not None:
            yield Sample("postgres_size_bytes", float(row["size"]), which, unit="bytes")


def _replicas(rows: list[dict[str, Any]], labels: Mapping[str, str]) -> Iterator[Sample]:
    yield Sample("postgres_replicas", len(rows), labels)
    for row in rows:
        who = {**labels, "replica": row["replica"][:LABEL_VALUE_MOST]}
        if row["behind"] is not None:
            yield Sample("postgres_replica_behind_bytes", float(row["behind"]), who, unit="bytes")
        # without writes there is no lag to measure, and then there is none
        yield Sample("postgres_replica_lag_seconds", float(row["lag"] or 0), who, unit="seconds")
