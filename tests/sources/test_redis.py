"""A real Redis: its numbers, the lengths of its keys, its replica, and who does not get in."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from metrics.sample import Sample, check
from metrics.sources import network_policy
from metrics.sources import redis as redis_source
from metrics.sources.base import SourceError
from metrics.sources.redis import RedisConfig, RedisServer
from tests.redis_server import Server, redis_server
from tests.sources import certificates
from tests.sources.between import Between, speaking
from tests.sources.documented import PAGE, undocumented
from tests.sources.names import lead


@pytest.fixture(scope="module")
def replica(short_folder: Path, a_redis: Server) -> Iterator[Server]:
    folder = short_folder / "replica"
    folder.mkdir()
    follows = ["--replicaof", "127.0.0.1", str(a_redis.port), "--masterauth", a_redis.password]
    with redis_server(folder, *follows, "--repl-diskless-load", "swapdb") as server:
        until = time.monotonic() + 20
        while server.client.info("replication")["master_link_status"] != "up":
            assert time.monotonic() < until
            time.sleep(0.05)
        yield server


def on(server: Server, **fields: Any) -> RedisConfig:
    where = {"host": "127.0.0.1", "port": server.port, "password": server.password}
    return RedisConfig.model_validate({**where, "name": "cache", **fields})


def collected(config: RedisConfig) -> list[Sample]:
    samples = RedisServer().collect(config)
    check(samples, time.time())
    return samples


def values(config: RedisConfig) -> dict[str, float]:
    return {one.metric: one.value for one in collected(config)}


def refusal(config: RedisConfig) -> str:
    with pytest.raises(SourceError) as refused:
        RedisServer().collect(config)
    assert str(refused.value).endswith(".")
    assert Server.password not in str(refused.value)
    return str(refused.value)


def test_its_numbers(a_redis: Server) -> None:
    with a_redis.client as client:
        client.set("x", "y")
        client.config_resetstat()
        client.get("x")
        client.mget("x", "x", "missing")
    found = values(on(a_redis))
    assert found["redis_hits_total"] == 3
    assert found["redis_misses_total"] == 1
    assert found["redis_hit_percent"] == 75
    assert found["redis_clients"] >= 1
    assert found["redis_memory_used_bytes"] > 100_000
    assert found["redis_keys"] >= 1
    assert "redis_memory_percent" not in found


def test_counters_and_units_are_said_to_be(a_redis: Server) -> None:
    types = {one.metric: (one.type, one.unit) for one in collected(on(a_redis))}
    assert types["redis_commands_total"] == ("counter", None)
    assert types["redis_memory_used_bytes"] == (None, "bytes")
    assert {one.labels["server"] for one in collected(on(a_redis))} == {"cache"}


def test_memory_that_is_limited_has_a_share(a_redis: Server) -> None:
    with a_redis.client as client:
        client.config_set("maxmemory", "100mb")
        try:
            found = values(on(a_redis))
        finally:
            client.config_set("maxmemory", "0")
    assert found["redis_memory_limit_bytes"] == 100 * 1024 * 1024
    assert 0 < found["redis_memory_percent"] < 50


def test_keys_of_every_type_have_their_length(a_redis: Server) -> None:
    with a_redis.client as client:
        client.select(3)
        client.flushdb()
        client.rpush("a list", "x", "y", "z")
        client.sadd("a set", "x", "y")
        client.zadd("sorted", {"x": 1})
        client.hset("a hash", mapping={"a": 1, "b": 2, "c": 3, "d": 4})
        client.xadd("a stream", {"a": 1})
        client.set("text", "12345")
    keys = ["a list", "a set", "sorted", "a hash", "a stream", "text", "missing"]
    samples = collected(on(a_redis, database=3, keys=keys))
    found = {one.labels["key"]: one.value for one in samples if one.metric == "redis_key_length"}
    assert found == {"a list": 3, "a set": 2, "sorted": 1, "a hash": 4, "a stream": 1, "text": 5, "missing": 0}


def test_one_key_without_a_length_loses_no_other(a_redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the type of a module, or one that the user may not read."""
    monkeypatch.delitem(redis_source.LENGTHS, "stream")
    with a_redis.client as client:
        client.rpush("seen list", "x", "y")
        client.xadd("seen stream", {"a": 1})
        commands = PAGE.read_text().partition("With an ACL, the user needs `")[2].partition("`")[0].split()
        client.acl_setuser("some", enabled=True, passwords=["+guess"], commands=commands, keys=["seen*"])
    found = RedisServer().collect(
        on(a_redis, user="some", password="guess", keys=["seen stream", "other", "seen list"])
    )
    assert {one.labels["key"]: one.value for one in found if one.metric == "redis_key_length"} == {"seen list": 2}
    assert "redis_memory_used_bytes" in {one.metric for one in found}
    assert found.note == "Left out: Key seen stream is of the type stream, which has no length. And 1 more."
    note = RedisServer().collect(on(a_redis, user="some", password="guess", keys=["other"])).note
    assert note.startswith("Left out: Key other can't be read (")


def test_a_connection_that_breaks_between_loses_nothing_that_was_read(a_redis: Server) -> None:
    with Between(a_redis.port, freeze_on=b"TYPE") as between, pytest.raises(SourceError) as failed:
        RedisServer().collect(on(a_redis, port=between.port, timeout_s=0.5, keys=["x"]))
    assert "redis_memory_used_bytes" in {one.metric for one in failed.value.samples}


def test_replication_is_seen_from_both_ends(a_redis: Server, replica: Server) -> None:
    above, below = values(on(a_redis)), values(on(replica))
    assert above["redis_replicas"] == 1
    assert 0 <= above["redis_replica_behind_bytes"] < 10_000
    assert below["redis_replication_up"] == 1
    assert 0 <= below["redis_replication_silence_seconds"] < 30


def test_every_metric_is_documented(a_redis: Server, replica: Server) -> None:
    with a_redis.client as client:
        client.config_set("maxmemory", "100mb")
    found = [*collected(on(a_redis, keys=["x"])), *collected(on(replica))]
    with a_redis.client as client:
        client.config_set("maxmemory", "0")
    assert len({one.metric for one in found}) > 20
    assert undocumented(found) == set()


def test_its_socket_is_for_administrators(a_redis: Server) -> None:
    config = on(a_redis, host=str(a_redis.socket), port=None)
    assert values(config)["redis_clients"] >= 1
    with network_policy.limited():
        assert refusal(config) == "Sockets of this machine are only for sources made by administrators."


def test_an_address_that_is_off_limits_is_not_connected_to(a_redis: Server) -> None:
    with network_policy.limited():
        assert "loopback" in refusal(on(a_redis))


def test_a_name_leads_to_the_address_that_was_checked(a_redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch, cache=["127.0.0.9", "127.0.0.1"])
    assert values(on(a_redis, host="cache.test"))["redis_clients"] >= 1


def test_a_wrong_password(a_redis: Server) -> None:
    assert refusal(on(a_redis, password="hush")).startswith("Redis: invalid username-password pair")


def test_a_user_who_may_not_ask(a_redis: Server) -> None:
    with a_redis.client as client:
        client.acl_setuser("nobody", enabled=True, passwords=["+guess"], commands=["+ping"])
    assert "permissions" in refusal(on(a_redis, user="nobody", password="guess"))


def test_somebody_who_speaks_something_else(a_redis: Server) -> None:
    with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        refusal(on(a_redis, port=port, timeout_s=2))


def test_a_connection_that_freezes_is_given_up(a_redis: Server) -> None:
    began = time.monotonic()
    with Between(a_redis.port, freeze_on=b"INFO") as between:
        assert refusal(on(a_redis, port=between.port, timeout_s=0.5)) == "It took longer than 0.5 s."
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("mode", ["on", "verify"])
def test_tls(a_redis: Server, mode: str, tmp_path: Path, trust: Callable[[Path], None]) -> None:
    certificate = certificates.make(["localhost"])
    with Between(a_redis.port, tls=certificate.server(tmp_path), asked=b"") as between:
        config = on(a_redis, host="localhost", port=between.port, tls=mode)
        if mode == "verify":
            assert "certificate verify failed" in refusal(config)
            trust(tmp_path / "server.pem")
        assert values(config)["redis_clients"] >= 1


@pytest.mark.parametrize("fields", [{}, {"host": ""}, {"host": "x", "keys": [""]}, {"host": "x", "database": -1}])
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedisConfig.model_validate(fields)


def test_without_a_name_a_server_is_called_by_its_address() -> None:
    assert RedisConfig(host="db").label(6379) == "db:6379"
    assert RedisConfig(host="/run/redis.sock").label(6379) == "/run/redis.sock"
