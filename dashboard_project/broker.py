"""Celery's way to Redis, with one client a channel: kombu makes one a message, which takes as long as sending that.

No queue is declared for a message either: it is a list in Redis, which is there with its first message. Declaring is
where kombu notices that a channel was closed, so that whoever sends connects anew: here, taking the client does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import RecoverableConnectionError
from celery.signals import before_task_publish
from kombu.transport.redis import Channel, Transport


class OneClient(Channel):
    """A channel that keeps the client it sends with, for as long as it keeps the connections of that."""

    _kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Yield the client. Raises RecoverableConnectionError if the channel was closed."""
        if self.connection is None:
            raise RecoverableConnectionError("The channel was closed.")
        if client is None:
            client = self._kept
            if client is None or client.connection_pool is not self.pool:
                client = self._kept = self._create_client()  # type: ignore[attr-defined]  # not in its stubs
        yield client


def install() -> None:
    """Have every connection of this process use it."""
    Transport.Channel = OneClient
    before_task_publish.connect(_declare_nothing)


def _declare_nothing(declare: list[Any], **_: Any) -> None:
    declare.clear()
