"""One client of Redis a channel, for as long as its connections are kept; a message is all that is written for one."""

from typing import Any

import pytest
from redis import Redis

from dashboard_project.celery import app

pytestmark = pytest.mark.usefixtures("redis")


def test_a_channel_keeps_its_client() -> None:
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
            assert first.ping()
        with channel.conn_or_acquire("another") as given:
            assert given == "another"
        channel._disconnect_pools()  # as it does when a connection fails
        with channel.conn_or_acquire() as later:
            assert later is not first
            assert later.ping()


def test_a_message_is_all_that_is_written(redis: Redis) -> None:
    with app.connection_for_write() as connection:
        app.send_task("tasks.nothing", queue="system", connection=connection)
        with connection.SimpleQueue("wf:nothing") as others:  # as kombu declares one
            others.put({})
    assert redis.llen("wf:celery:system") == 1
    assert not redis.exists("wf:celery:_kombu.binding.system")
    assert redis.exists("wf:celery:_kombu.binding.wf:nothing")


def test_a_message_is_sent_though_the_channel_was_closed(redis: Redis) -> None:
    """As it is when Redis was away for so long that an attempt to connect anew was given up."""
    with app.connection_for_write() as connection, app.amqp.Producer(connection, auto_declare=False) as producer:
        app.send_task("tasks.nothing", queue="system", producer=producer)
        channel: Any = producer.channel
        channel.close()
        app.send_task("tasks.nothing", queue="system", producer=producer)
    assert redis.llen("wf:celery:system") == 2
