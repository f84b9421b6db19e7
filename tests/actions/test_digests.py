"""Digests: what a channel asks to hear of together waits as rows, and goes as one message; nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from metrics.access.principal import SYSTEM
from metrics.actions import alert_changes, channels, deliveries, digests, incident_messages, untold
from metrics.actions.errors import Invalid
from metrics.models import Alert, Channel, Delivery, Incident, Message, Rule
from metrics.notify.base import ChannelError
from metrics.times import datetime_of
from tests import make
from tests.actions.test_deliveries import SECRET, Outside, channel, message, outside, queue, work
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

__all__ = ["outside"]

HOURLY = {"every": "1h"}
HOUR = 3600
NEXT = AT // HOUR * HOUR + HOUR


def incident(title: str, severity: str = "warning", at: float = AT) -> Incident:
    """An incident that is news, as a rule opens it."""
    made = make.incident(title)
    made.severity, made.opened_at, made.newest_at = severity, datetime_of(at), datetime_of(at)
    made.step, made.untold_since, made.changed_at = 1, datetime_of(at), datetime_of(at)
    made.save()
    rule = Rule.objects.create(name=title, spec={}, severity=severity)
    Alert.objects.create(
        rule=rule, key="a", since_ms=at * 1000, seen_at_ms=0, state="firing", are_told=True, incident=made
    )
    return made


def ends(one: Incident, at: float) -> None:
    Incident.objects.filter(pk=one.pk).update(
        resolved_at=datetime_of(at), untold_since=datetime_of(at), changed_at=datetime_of(at)
    )


def step(now: float) -> None:
    """Do what a tick does."""
    incident_messages.send(now)
    digests.send(now)
    work(now)


def told(outside: Outside) -> list[tuple[str, list[str]]]:
    """Return the subject and the lines of each digest that arrived."""
    sent = [job.message for job in outside.jobs if job.message.state == "digest"]
    return [(one.subject, [line.text for line in one.lines]) for one in sent]


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_what_began_ended_and_still_is_comes_as_one_message(outside: Outside) -> None:
    pager = channel(digest=HOURLY)
    long, short = incident("Disk full"), incident("Slow")
    step(AT + 10)
    assert states() == ["held", "held"]
    assert outside.got == []
    ends(short, AT + 20)
    step(AT + 30)
    step(NEXT - 1)
    assert outside.got == []
    step(NEXT)
    assert told(outside) == [("2 began, 1 ended", ["Began: Disk full", "Began and ended: Slow, after 20 s"])]
    (line, _) = outside.jobs[0].message.lines
    assert line.url.endswith(f"/incidents/{long.pk}/")
    assert line.since == AT
    assert states() == ["gathered", "gathered", "gathered", "sent"]
    step(NEXT + HOUR)
    assert len(outside.got) == 1, "nothing is new"
    later = incident("Load", at=NEXT + HOUR + 10)
    step(NEXT + HOUR + 20)
    step(NEXT + 2 * HOUR)
    assert told(outside)[1] == ("1 began, 1 still is", ["Began: Load", "Still: Disk full"])
    for one in (long, later):
        ends(one, NEXT + 2 * HOUR + 10)
    step(NEXT + 2 * HOUR + 20)
    step(NEXT + 3 * HOUR)
    assert told(outside)[2][0] == "2 ended"
    assert pager.deliveries.filter(state=Delivery.HELD).count() == 0


def test_what_is_critical_or_a_test_is_told_at_once_and_so_are_channels_without_a_digest(outside: Outside) -> None:
    channel("ops", digest={"at": ["08:00"], "severities": ["info"]})
    channel("other")
    for severity in ("critical", "warning", "info"):
        incident(severity, severity)
    step(AT + 10)
    for _ in range(4):
        work(AT + 11)
    rows = Delivery.objects.order_by("pk").values_list("channel__name", "document__severity", "state")
    assert sorted(rows) == [
        ("ops", "critical", "sent"),
        ("ops", "info", "held"),
        ("ops", "warning", "sent"),
        ("other", "critical", "sent"),
        ("other", "info", "sent"),
        ("other", "warning", "sent"),
    ]


def test_the_timeline_and_what_is_not_told_say_where_it_waits(outside: Outside) -> None:
    channel("ops", digest=HOURLY)
    incident("Disk full")
    step(AT + 10)
    assert [one.text for one in Message.objects.all()] == ["In the next digest of ops."]
    (one,) = [one for one in untold.untold(SYSTEM, AT + 20) if one.kind == "digest"]
    assert (one.title, one.text) == ("ops", "It hears of 1 message in its next digest.")
    assert one.until == datetime_of(NEXT)


def test_a_digest_that_fails_is_tried_again_and_handed_on(outside: Outside) -> None:
    first, second = channel("ops", digest=HOURLY), channel("other", digest=HOURLY, fallback=True)
    incident("Disk full")
    step(AT + 10)
    outside.answers["https://ops.example.com"] = ChannelError("It is away.")
    step(NEXT)
    assert first.deliveries.latest("pk").state == Delivery.WAITING
    outside.answers["https://ops.example.com"] = ChannelError("No such address.", permanent=True)
    work(NEXT + 30)
    work(NEXT + 31)
    assert second.deliveries.get().state == Delivery.SENT, "and not held for its own digest"


def test_a_message_that_failed_elsewhere_waits_for_no_digest(outside: Outside) -> None:
    channel("ops")
    second = channel("other", digest=HOURLY, fallback=True)
    outside.answers["https://ops.example.com"] = ChannelError("No such address.", permanent=True)
    incident("Disk full")
    step(AT + 10)
    work(AT + 11)
    assert second.deliveries.get().state == Delivery.SENT


def test_what_waits_for_a_channel_that_is_off_then_goes_through_the_next_one(outside: Outside) -> None:
    first, second = channel("ops", digest=HOURLY), channel("other", digest=HOURLY, fallback=True)
    incident("Disk full")
    step(AT + 10)
    channels.change(SYSTEM, first.pk, {"enabled": False})
    step(NEXT)
    row = first.deliveries.latest("pk")
    assert (row.state, row.error) == (Delivery.FAILED, "The channel is off.")
    work(NEXT + 1)
    assert second.deliveries.get().state == Delivery.SENT
    assert told(outside) == [("1 began", ["Began: Disk full"])]


def test_what_is_worse_by_then_is_listed_too(outside: Outside) -> None:
    pager, one = channel(digest=HOURLY), incident("Disk full")
    update = message("two", "update", severity="warning", conversation=f"incident:{one.pk}")
    queue(pager, update)
    Incident.objects.update(severity="critical")
    digests.send(NEXT)
    row = Delivery.objects.latest("pk").document
    assert (row["subject"], [one["text"] for one in row["lines"]]) == ("1 still is", ["Still: Disk full"])
    Incident.objects.all().delete()
    queue(pager, message("one", severity="warning"), NEXT)
    digests.send(NEXT + HOUR)
    assert Delivery.objects.latest("pk").document["subject"] == "1 message"


def test_what_is_held_replaces_nothing_that_is_told_at_once(outside: Outside) -> None:
    pager = channel(digest=HOURLY)
    for severity, expected in (("critical", ["waiting"]), ("info", ["waiting", "held"])):
        queue(pager, message(severity, "update", severity=severity, conversation="incident:1"))
        assert states() == expected
    queue(pager, message("more", "update", severity="critical", conversation="incident:1"))
    assert states() == ["replaced", "held", "waiting"]


def test_open_pages_are_told_of_what_is_held_and_of_what_went(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    pager = channel(digest=HOURLY)
    monkeypatch.setattr(alert_changes, "note", noted.append)
    queue(pager, message("one", severity="warning"))
    assert noted == ["channel"]
    digests.send(NEXT)
    assert noted == ["channel"] * 2


def test_what_is_held_follows_a_change_of_the_digest(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.actions.channels.time.time", lambda: AT + 20)
    pager = channel(digest={"at": ["08:00"]})
    incident("Disk full")
    step(AT + 10)
    channels.change(SYSTEM, pager.pk, {"digest": HOURLY})
    assert Delivery.objects.get().next_at == datetime_of(NEXT)
    channels.change(SYSTEM, pager.pk, {"enabled": False})
    step(NEXT - 1)
    assert states() == ["held"]
    channels.change(SYSTEM, pager.pk, {"enabled": True, "digest": {}})
    step(AT + 21)
    assert told(outside) == [("1 began", ["Began: Disk full"])]
    assert Channel.objects.get().digest is None


def test_two_workers_send_one_digest(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    channel(digest=HOURLY)
    incident("Disk full")
    step(AT + 10)
    found = deliveries.queue

    def slower(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(deliveries, "queue", found)
        digests.send(NEXT)  # another worker looks before this one has committed
        return found(*args, **more)

    monkeypatch.setattr(deliveries, "queue", slower)
    digests.send(NEXT)
    assert states() == ["gathered", "waiting"]


def test_a_worker_that_dies_in_between_loses_nothing(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    channel(digest=HOURLY)
    incident("Disk full")
    step(AT + 10)
    monkeypatch.setattr(deliveries, "queue", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        digests.send(NEXT)
    monkeypatch.undo()
    assert states() == ["held"]


def test_many_are_counted_and_those_that_are_gone_are_named(outside: Outside) -> None:
    pager = channel(digest=HOURLY)
    for number in range(digests.LINES_MOST + 5):
        queue(pager, message(f"{number}", severity="warning", conversation=f"incident:{900 + number}"))
    queue(pager, message("none", severity="warning"))
    digests.send(NEXT)
    row = Delivery.objects.latest("pk").document
    assert (len(row["lines"]), row["more"]) == (digests.LINES_MOST, 6)
    assert row["subject"] == f"{digests.LINES_MOST + 6} messages"
    assert row["lines"][0]["text"] == "Disk full"


def test_a_digest_that_can_not_be_read_has_all_told_at_once(outside: Outside) -> None:
    pager = channel()
    odd: Any
    for odd in ("daily", {"at": "08:00"}, {"every": "1h", "on": "mon"}, []):
        Channel.objects.update(digest=odd)
        pager.refresh_from_db()
        (row,) = queue(pager, message(f"{odd}", severity="info"))
        assert row.state == Delivery.WAITING, odd
    with pytest.raises(Invalid) as refused:
        channels.change(SYSTEM, pager.pk, {"digest": {"every": "1m"}})
    assert refused.value.all[0][0] == "digest.every"


def test_what_nobody_has_taken_and_who_has_is_said(outside: Outside) -> None:
    channel(digest=HOURLY)
    one, other = incident("Disk full"), incident("Slow")
    step(AT + 10)
    to = list(Channel.objects.all())
    with transaction.atomic():
        assert incident_messages.escalated(one, to, "step", datetime_of(AT + 20)) == []
    Incident.objects.filter(pk=other.pk).update(acknowledged_by="user bob", acknowledged_at=datetime_of(AT))
    digests.send(NEXT)
    lines = [one["text"] for one in Delivery.objects.latest("pk").document["lines"]]
    assert lines == ["Began: Disk full, nobody has taken it", "Began: Slow, bob has it"]


def test_what_is_held_is_kept_as_long_as_all(outside: Outside) -> None:
    pager = channel(digest=HOURLY)
    queue(pager, message("one", severity="info"))
    deliveries.forget(AT + timedelta(days=89).total_seconds())
    assert states() == ["held"]
    assert SECRET not in str(Delivery.objects.get().document)
