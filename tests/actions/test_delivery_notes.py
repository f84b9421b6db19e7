"""The timeline of an incident says whom channels told, and whom they could not tell."""

from collections.abc import Mapping

import pytest

from metrics.actions import deliveries, rooms
from metrics.models import Channel, Delivery, Incident, Message
from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Message as NotifyMessage
from metrics.notify.message import State
from metrics.times import datetime_of
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def incident(monkeypatch: pytest.MonkeyPatch) -> Incident:
    monkeypatch.setattr("metrics.redis_state.delivering.ask", lambda _: None)
    made = make.incident("Disk full")
    rooms.of_incident(made)
    return made


def queued(incident: Incident, state: State, *names: str) -> list[Delivery]:
    channels = [
        Channel.objects.get_or_create(name=name, defaults={"kind": "webhook", "position": place})[0]
        for place, name in enumerate(names)
    ]
    about = f"incident:{incident.pk}"
    message = NotifyMessage(subject="Disk full", state=state, key=f"k:{state}", at=AT, conversation=about)
    return [
        Delivery.objects.create(
            channel=channel,
            conversation=about,
            key=f"k:{state}",
            document=message.document(),
            created_at=datetime_of(AT),
            next_at=datetime_of(AT),
        )
        for channel in channels
    ]


def end(monkeypatch: pytest.MonkeyPatch, rows: list[Delivery], failing: Mapping[str, str] | None = None) -> list[str]:
    """End deliveries, some of which fail; return what the timeline says after each."""
    said = []
    for row in rows:
        error = (failing or {}).get(row.channel.name)
        outcome = ChannelError(error, permanent=True) if error else Receipt("ok")
        monkeypatch.setattr(deliveries, "_send", lambda _, outcome=outcome: outcome)
        deliveries.deliver(row.pk, AT + 60 * row.pk)
        said.append(Message.objects.order_by("-pk").values_list("text", flat=True).first() or "")
    return said


def test_a_message_is_one_line_when_the_last_of_it_has_ended(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = queued(incident, "firing", "hook", "mail")
    assert end(monkeypatch, rows) == ["", "Told through hook, mail."]
    assert Message.objects.count() == 1


def test_what_failed_is_said_with_its_reason_when_nothing_is_left_to_try(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = queued(incident, "firing", "hook")
    Channel.objects.create(name="mail", kind="webhook", position=5)
    assert end(monkeypatch, [row], {"hook": "It said 500."}) == [""]
    following = Delivery.objects.get(channel__name="mail")
    assert end(monkeypatch, [following]) == ["Told through mail. Not told through hook (It said 500.)."]


def test_updates_are_not_said_but_their_failures_are(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    assert end(monkeypatch, queued(incident, "update", "hook")) == [""]
    rows = queued(incident, "resolved", "hook")
    assert end(monkeypatch, rows, {"hook": "No."}) == ["Not told through hook (No.)."]
