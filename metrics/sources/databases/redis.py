"""Redis: clients, and connections for kombu's, that connect to checked addresses and are over in time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from metrics.sample import Sample
from metrics.sources.base import SourceError, keeping
from metrics.sources.deadline import Deadline
from metrics.sources.server import ServerConfig, encrypt, open_socket, sentence

PORT = 6379
WHO = "Redis"


def connection_class(config: ServerConfig, deadline: Deadline) -> type[redis.Connection]:
    """Return a class of connections that go to the server of `config`, whatever they are told besides."""

    class Checked(redis.Connection):
        def _connect(self) -> socket.socket:
            return encrypt(open_socket(config, PORT, deadline), config)

    return Checked


@contextmanager
def asking(config: ServerConfig, database: int, deadline: Deadline) -> Iterator["redis.Redis"]:
    """Yield a client whose answers are text. Raises SourceError for whatever Redis or the network says."""
    pool = redis.ConnectionPool(
        connection_class=connection_class(config, deadline),
        host=config.host,
        port=config.port or PORT,
        db=database,
        **credentials(config),
        client_name="watchfloor",
        decode_responses=True,
        encoding_errors="replace",
        socket_timeout=config.timeout_s,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        with redis.Redis(connection_pool=pool) as client:
            yield client
    except (redis.RedisError, OSError) as error:
        raise SourceError(sentence(WHO, error)) from None
    finally:
        pool.disconnect()


@contextmanager
def run(config: ServerConfig, database: int, found: list[Sample]) -> Iterator[tuple["redis.Redis", Deadline]]:
    """Give a client for a run, and its time; what was `found` until it fails is kept. Raises SourceError."""
    with keeping(found), Deadline(config.timeout_s) as deadline, asking(config, database, deadline) as client:
        yield client, deadline


def credentials(config: ServerConfig) -> dict[str, Any]:
    """Return whom to sign in as; Redis wants None for what there is not."""
    return {"username": config.user or None, "password": config.password.get_secret_value() or None}
