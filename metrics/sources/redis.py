"""A Redis or Valkey server: memory, clients, commands, hits, replication, and how long some keys are.

The meaning of the words of INFO: https://redis.io/docs/latest/commands/info/
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import redis
from pydantic import Field, StringConstraints

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources.base import Noted, SourceKind, left_out
from metrics.sources.databases.redis import PORT, run
from metrics.sources.server import NamedServerConfig

Key = Annotated[str, StringConstraints(min_length=1, max_length=LABEL_VALUE_MOST)]

GAUGES = {
    "used_memory": ("redis_memory_used_bytes", "bytes"),
    "used_memory_rss": ("redis_memory_resident_bytes", "bytes"),
    "connected_clients": ("redis_clients", None),
    "blocked_clients": ("redis_clients_blocked", None),
    "instantaneous_ops_per_sec": ("redis_commands_per_second", None),
    "connected_slaves": ("redis_replicas", None),
    "uptime_in_seconds": ("redis_uptime_seconds", "seconds"),
}
COUNTERS = {
    "total_commands_processed": "redis_commands_total",
    "total_connections_received": "redis_connections_total",
    "rejected_connections": "redis_connections_rejected_total",
    "keyspace_hits": "redis_hits_total",
    "keyspace_misses": "redis_misses_total",
    "expired_keys": "redis_keys_expired_total",
    "evicted_keys": "redis_keys_evicted_total",
}
LENGTHS = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN", "string": "STRLEN"}


class RedisConfig(NamedServerConfig):
    """Which server, and which keys."""

    database: int = Field(
        default=0,
        ge=0,
        le=10_000,
        title="Number of the database",
        description="Number of the database that the keys are in.",
    )
    keys: list[Key] = Field(default_factory=list, max_length=50, description="Keys whose length to tell.")


class RedisServer(SourceKind[RedisConfig]):
    """Memory, clients, commands, hits and replication of a Redis or Valkey server, and lengths of keys."""

    kind = "redis"
    config_class = RedisConfig
    group = "servers"

    def collect(self, config: RedisConfig) -> Noted:
        labels, found, problems = {"server": config.label(PORT)}, list[Sample](), list[str]()
        with run(config, config.database, found) as (client, _):
            info: dict[str, Any] = client.info()
            for part in (_simple, _memory_limit, _hits, _keys, _replication):
                found += part(info, labels)
            for key, length in _lengths(client, config.keys).items():
                if isinstance(length, str):
                    problems.append(length)
                else:
                    found.append(Sample("redis_key_length", length, {**labels, "key": key}))
        return Noted(found, left_out(problems))


def _simple(info: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    for word, (metric, unit) in GAUGES.items():
        if isinstance(info.get(word), int | float):
            yield Sample(metric, info[word], labels, unit=unit)
    for word, metric in COUNTERS.items():
        if isinstance(info.get(word), int | float):
            yield Sample(metric, info[word], labels, type="counter")


def _memory_limit(info: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    most = info.get("maxmemory", 0)
    if most:
        yield Sample("redis_memory_limit_bytes", most, labels, unit="bytes")
        yield Sample("redis_memory_percent", 100 * info["used_memory"] / most, labels, unit="percent")


def _hits(info: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    hits, misses = info.get("keyspace_hits", 0), info.get("keyspace_misses", 0)
    if hits + misses:
        yield Sample("redis_hit_percent", 100 * hits / (hits + misses), labels, unit="percent")


def _keys(info: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    for word, about in info.items():
        if word.startswith("db") and word[2:].isdecimal() and isinstance(about, Mapping):
            yield Sample("redis_keys", about["keys"], {**labels, "database": word[2:]})


def _replication(info: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    if info.get("role") == "slave":
        yield Sample("redis_replication_up", float(info.get("master_link_status") == "up"), labels)
        silence_s = info.get("master_last_io_seconds_ago", -1)
        if silence_s >= 0:  # -1 while the link is down
            yield Sample("redis_replication_silence_seconds", silence_s, labels, unit="seconds")
    written = info.get("master_repl_offset", 0)
    for word, replica in info.items():
        if word.startswith("slave") and word[5:].isdecimal() and isinstance(replica, Mapping):
            who = {**labels, "replica": f"{replica['ip']}:{replica['port']}"}
            behind = max(0, written - int(replica.get("offset", 0)))
            yield Sample("redis_replica_behind_bytes", behind, who, unit="bytes")


def _lengths(client: "redis.Redis", keys: list[str]) -> dict[str, float | str]:
    """Return the length of each key, 0 if there is no such key; or a sentence that says why it has none."""
    types = _pipelined(client, [("TYPE", key) for key in keys])
    known = [(key, type) for key, type in zip(keys, types, strict=True) if type in LENGTHS]
    lengths = _pipelined(client, [(LENGTHS[type], key) for key, type in known])
    answers = dict(zip(keys, types, strict=True)) | {
        key: length for (key, _), length in zip(known, lengths, strict=True)
    }
    return {key: _length(key, answer) for key, answer in answers.items()}


def _length(key: str, answer: Any) -> float | str:
    if answer == "none":
        return 0.0
    if isinstance(answer, redis.ResponseError):
        return f"Key {key} can't be read ({str(answer).rstrip('.')})."
    if isinstance(answer, str):
        return f"Key {key} is of the type {answer}, which has no length."
    return float(answer)


def _pipelined(client: "redis.Redis", commands: list[tuple[str, str]]) -> list[Any]:
    """Return the answer to each command; a refusal is one, too."""
    pipe = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)  # type: ignore[no-untyped-call]
    return pipe.execute(raise_on_error=False) if commands else []
