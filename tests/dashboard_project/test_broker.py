"""One client of Redis a channel, for as long as its connections are kept."""

from typing import Any

import pytest

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
