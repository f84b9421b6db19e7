"""The dead man's switch: a heartbeat goes out while alerts are followed and messages are sent, and else it does not."""

from datetime import timedelta
from typing import Any

import pytest

from metrics.actions import watchdog
from metrics.health import store as health
from metrics.models import Channel, Delivery
from metrics.times import datetime_of
from tests.make import AT
from tests.notify.receivers import hook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def delivery(next_s: float, state: str = Delivery.WAITING, claimed_s: float | None = None) -> None:
    channel = Channel.objects.create(name="hook", kind="webhook")
    at = datetime_of(AT)
    Delivery.objects.create(
        channel=channel,
        key="x",
        document={},
        state=state,
        created_at=at,
        next_at=at + timedelta(seconds=next_s),
        claimed_until=None if claimed_s is None else at + timedelta(seconds=claimed_s),
    )


@pytest.mark.parametrize(
    ("followed_s", "waits", "said"),
    [
        (-1, None, ""),
        (-31, None, "Alerts are not followed"),
        (None, None, "Alerts are not followed"),
        (-1, (-179,), ""),
        (-1, (-181,), "Messages wait"),
        (-1, (60,), ""),
        (-1, (-181, Delivery.SENT), ""),
        (-1, (-181, Delivery.SENDING, 10), ""),
        (-1, (-181, Delivery.SENDING, -1), "Messages wait"),
    ],
)
def test_it_is_sent_only_while_all_is_well(
    settings: Any, followed_s: float | None, waits: tuple[Any, ...] | None, said: str
) -> None:
    if followed_s is not None:
        health.record("alerts", AT + followed_s)
    if waits is not None:
        delivery(*waits)
    with hook() as receiver:
        settings.WATCHDOG_URL = f"{receiver.url}/key"
        found = watchdog.beat(AT)
    assert found.startswith(said)
    assert bool(found) is bool(said)
    assert [path for path, *_ in receiver.got] == ([] if said else ["/key"])


@pytest.mark.parametrize("status", [503, 404])
def test_a_refusal_is_said_without_the_key(settings: Any, status: int) -> None:
    health.record("alerts", AT)
    with hook(status) as receiver:
        settings.WATCHDOG_URL = f"{receiver.url}/secret?key=secret"
        said = watchdog.beat(AT)
    assert str(status) in said
    assert "secret" not in said


def test_without_an_address_nothing_is_sent(settings: Any) -> None:
    settings.WATCHDOG_URL = ""
    assert watchdog.beat(AT) == ""
