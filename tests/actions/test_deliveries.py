"""Deliveries: queued with what they tell, sent once, tried again, and handed to the next channel."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction

from metrics.access.principal import SYSTEM
from metrics.actions import channel_configs, channels, deliveries
from metrics.actions.deliveries import CLAIM_S, KEPT, TRIES, WAITS_BETWEEN_S, wait_s
from metrics.models import Channel, Delivery, Notification, Team
from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Chart, Line, Message
from metrics.notify.sending import process
from metrics.redis_state import delivering
from metrics.times import datetime_of
from tests import make
from tests.make import AT
from tests.notify.receivers import hook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SECRET = "correct horse battery"


class Outside:
    """The world outside: `answers` by the name of a channel's URL, and what arrived there."""

    def __init__(self) -> None:
        self.answers: dict[str, Receipt | ChannelError] = {}
        self.got: list[tuple[str, str]] = []
        self.jobs: list[process.Job] = []

    def send(self, job: process.Job) -> Receipt:
        self.jobs.append(job)
        answer = self.answers.get(job.config["url"], Receipt("taken", f"id of {job.message.key}"))
        if isinstance(answer, ChannelError):
            raise answer
        self.got.append((job.config["url"], job.message.key))
        return answer


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    """Nothing leaves this process, and no task is sent: what is due is asked for."""
    world = Outside()
    monkeypatch.setattr(deliveries, "send", world.send)
    monkeypatch.setattr(deliveries, "ahead", lambda kinds: None)
    monkeypatch.setattr(delivering, "ask", lambda ids: None)
    monkeypatch.setattr("random.random", lambda: 0.5)
    return world


def channel(name: str = "ops", team: Team | None = None, url: str = "", **fields: Any) -> Channel:
    config = {"url": url or f"https://{name}.example.com", "secret": SECRET}
    return channels.create(SYSTEM, "webhook", name, config, team.name if team else "", **fields)


def message(key: str = "one", state: Any = "firing", **fields: Any) -> Message:
    return Message(subject="Disk full", state=state, key=key, at=AT, lines=(Line("web-1", "97 %", AT),), **fields)


def queue(to: Channel | list[Channel], one: Message, at: float = AT) -> list[Delivery]:
    with transaction.atomic():
        return deliveries.queue(to if isinstance(to, list) else [to], one, at=at)


def work(now: float) -> None:
    """Do what is due at `now`, as the ticks would."""
    for id in deliveries.due(now):
        deliveries.deliver(id, now)


def states() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("channel__name", "state"))


def test_a_message_is_a_row_of_the_transaction_that_tells_it(outside: Outside) -> None:
    to = channel()
    with transaction.atomic():
        deliveries.queue([to], message(), at=AT)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    queue(to, message())
    work(AT)
    assert outside.got == [("https://ops.example.com", "one")]
    (row,) = Delivery.objects.all()
    assert (row.state, row.attempts, row.error) == ("sent", 1, "")
    assert row.receipt == {"said": "taken", "id": "id of one"}
    assert Message.of(row.document) == message()


def test_the_same_key_goes_through_a_channel_once(outside: Outside) -> None:
    one, two = channel("one"), channel("two")
    first = queue(one, message())
    assert queue([one, two], message())[0] == first[0]
    work(AT)
    work(AT + 1)
    assert sorted(outside.got) == [("https://one.example.com", "one"), ("https://two.example.com", "one")]


def test_nothing_goes_through_a_channel_that_is_off(outside: Outside) -> None:
    off = channel(enabled=False)
    assert queue(off, message()) == []
    on = channel("on")
    queue(on, message())
    channels.change(SYSTEM, on.pk, {"enabled": False})
    work(AT)
    assert outside.got == []
    assert [(row.state, row.error) for row in Delivery.objects.all()] == [("failed", "The channel is off.")]


def test_a_channel_is_tried_again_later_and_later_and_then_given_up(outside: Outside) -> None:
    outside.answers["https://ops.example.com"] = ChannelError("It is away.")
    queue(channel(), message())
    now = AT
    tried: list[float] = []
    for wait in (0.0, *WAITS_BETWEEN_S):
        now += wait
        work(now - 0.1 if wait else now - 1)
        assert len(outside.jobs) == len(tried)
        work(now + 0.5)
        tried.append(now)
        now += 0.5
        assert len(outside.jobs) == len(tried)
    work(now + 100_000)
    assert len(outside.jobs) == TRIES
    (row,) = Delivery.objects.all()
    assert (row.state, row.error) == ("failed", "It is away.")


@pytest.mark.parametrize(
    ("tried", "asked_s", "chance", "waits_s"),
    [
        (1, None, 0.5, 5),
        (1, None, 0.0, 4),
        (1, None, 1.0, 6),
        (5, None, 0.5, 240),
        (9, None, 0.5, 240),
        (1, 42, 0.5, 42),
        (5, 42, 0.5, 240),
        (1, 10_000_000, 0.5, 3600),
    ],
)
def test_the_pause_grows_varies_and_honours_what_is_asked(
    tried: int, asked_s: float | None, chance: float, waits_s: float
) -> None:
    assert wait_s(tried, asked_s, chance) == pytest.approx(waits_s)


def test_who_asks_to_be_left_alone_is_left_alone(outside: Outside) -> None:
    outside.answers["https://ops.example.com"] = ChannelError("Too many.", wait_s=42)
    queue(channel(), message())
    work(AT)
    work(AT + 41)
    assert len(outside.jobs) == 1
    work(AT + 43)
    assert len(outside.jobs) == 2


def test_the_next_channel_of_the_team_steps_in_and_people_are_told(outside: Outside) -> None:
    ada, bob, root = make.user("ada", is_staff=True), make.user("bob", is_staff=True), make.admin()
    team = make.team("ops", ada)
    first, second = channel("chat", team), channel("sms", team, fallback=True)
    channel("others")
    assert channels.of_teams([team]) == [first]
    outside.answers["https://chat.example.com"] = ChannelError("chat answered 404 Not Found.", permanent=True)
    outside.answers["https://sms.example.com"] = ChannelError("sms answered 410 Gone.", permanent=True)
    queue(channels.of_teams([team]), message())
    work(AT)
    assert states() == [("chat", "failed"), ("sms", "waiting")]
    work(AT + 1)
    assert states() == [("chat", "failed"), ("sms", "failed")]
    told = Notification.objects.order_by("pk").values_list("user", "text", "about")
    assert list(told) == [
        (user.pk, f"{name} could not deliver “Firing: Disk full”: {why} {what}", f"/channels/{of.pk}/")
        for of, name, why, what in (
            (first, "chat", "chat answered 404 Not Found.", "sms is tried instead."),
            (second, "sms", "sms answered 410 Gone.", "No other channel is left."),
        )
        for user in sorted((ada, root), key=lambda one: one.pk)
    ]
    assert not Notification.objects.filter(user=bob).exists()


def test_the_installations_channels_are_those_without_a_team(outside: Outside) -> None:
    ours, theirs = channel("ours"), channel("theirs", make.team("ops"))
    assert channels.of_teams([]) == [ours]
    assert channels.of_teams(Team.objects.all()) == [theirs]


def test_a_channel_sends_one_at_a_time_and_does_not_keep_others_waiting(outside: Outside) -> None:
    slow, other = channel("slow"), channel("other")
    (first,) = queue(slow, message("one"))
    queue([slow, other], message("two"))
    Delivery.objects.filter(pk=first.pk).update(state="sending", claimed_until=datetime_of(AT + CLAIM_S), attempts=1)
    work(AT + 1)
    assert outside.got == [("https://other.example.com", "two")]
    work(AT + CLAIM_S + 1)
    assert ("https://slow.example.com", "one") in outside.got


def test_what_a_killed_worker_had_taken_is_free_again_when_its_claim_ends(outside: Outside) -> None:
    (row,) = queue(channel(), message())
    assert deliveries._claim(row.pk, datetime_of(AT))
    assert deliveries._claim(row.pk, datetime_of(AT + 1)) is None
    work(AT + CLAIM_S - 1)
    assert outside.got == []
    work(AT + CLAIM_S)
    assert outside.got == [("https://ops.example.com", "one")]


def test_what_takes_every_worker_with_it_is_given_up(outside: Outside) -> None:
    (row,) = queue(channel(), message())
    Delivery.objects.filter(pk=row.pk).update(attempts=deliveries.BEGUN_MOST)
    work(AT)
    row.refresh_from_db()
    assert (row.state, outside.jobs) == ("failed", [])


def test_a_conversation_stays_in_order_and_an_old_update_is_not_worth_sending(outside: Outside) -> None:
    to = channel()
    outside.answers["https://ops.example.com"] = ChannelError("It is away.")
    for key, state in (("1", "firing"), ("2", "update"), ("3", "update"), ("4", "resolved")):
        queue(to, message(key, state, conversation="incident:1"))
    queue(to, message("5", conversation="incident:2"))
    work(AT)
    del outside.answers["https://ops.example.com"]
    for second in range(1, 10):
        work(AT + second)
    assert [key for _, key in outside.got] == ["5", "1", "4"]
    assert [state for _, state in states()] == ["sent", "replaced", "replaced", "sent", "sent"]
    assert outside.jobs[-1].earlier == ["id of 1"]


def test_one_that_answers_again_gets_at_once_what_waited(outside: Outside) -> None:
    to = channel()
    outside.answers["https://ops.example.com"] = ChannelError("It is away.", wait_s=3000)
    queue(to, message("1"))
    work(AT)
    del outside.answers["https://ops.example.com"]
    queue(to, message("2"))
    work(AT + 1)
    work(AT + 2)
    assert [key for _, key in outside.got] == ["2", "1"]


def test_what_is_not_told_is_drawn_anew_when_a_channel_fails_answers_again_or_waits(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, later = channel(), channel("later", digest={"every": "1h"})
    told: list[str] = []
    monkeypatch.setattr("metrics.actions.deliveries.alert_changes.note", told.append)
    counts = []
    for number, answer in enumerate([None, ChannelError("Away.", permanent=True), None, None]):
        outside.answers = {} if answer is None else {"https://ops.example.com": answer}
        queue(to, message(str(number)))
        work(AT + number)
        counts.append(len(told))
    queue(later, message("held", severity="warning"))
    assert (counts, told) == ([0, 1, 2, 2], ["channel"] * 3)


def test_what_goes_wrong_here_is_no_try_of_the_channel(outside: Outside) -> None:
    outside.answers["https://ops.example.com"] = ChannelError("Redis does not answer.", is_ours=True)
    (row,) = queue(channel(), message())
    now = AT
    for _ in range(TRIES + 1):
        work(now)
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("waiting", 0)
        assert deliveries.due(now + WAITS_BETWEEN_S[0] - 1) == []
        now += WAITS_BETWEEN_S[0] + 1
    outside.answers["https://ops.example.com"] = ChannelError("It is away.")
    work(now)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 1)


def test_what_goes_wrong_here_for_long_is_given_up_all_the_same(outside: Outside) -> None:
    outside.answers["https://ops.example.com"] = ChannelError("Redis does not answer.", is_ours=True)
    (row,) = queue(channel(), message())
    now = AT + sum(WAITS_BETWEEN_S)
    for wait in (0.0, *WAITS_BETWEEN_S):
        now += wait
        work(now)
        now += 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("failed", TRIES)


@pytest.mark.parametrize(
    ("error", "said", "attempts"),
    [
        (OperationalError("the server closed the connection"), "The database does not answer.", 0),
        (RuntimeError("can't start new thread"), deliveries.FAILED_HERE, 1),
    ],
)
def test_a_failure_before_it_is_sent_ends_the_claim(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str, attempts: int
) -> None:
    def fail(_: Any) -> Any:
        raise error

    (row,) = queue(channel(), message())
    with monkeypatch.context() as broken:
        broken.setattr(channel_configs, "secrets_of", fail)
        work(AT)
    row.refresh_from_db()
    assert (row.state, row.error, row.attempts) == ("waiting", said, attempts)
    work(AT + WAITS_BETWEEN_S[0] + 1)
    assert outside.got == [("https://ops.example.com", "one")]


def test_an_outcome_is_noted_once_the_database_answers_again(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "NOTES_EVERY_S", 0.0)
    errors, note = [OperationalError("the server closed the connection")] * 2, deliveries._note

    def once_more(*given: Any) -> None:
        if errors:
            raise errors.pop()
        note(*given)

    monkeypatch.setattr(deliveries, "_note", once_more)
    (row,) = queue(channel(), message())
    work(AT)
    row.refresh_from_db()
    assert (row.state, errors, len(outside.got)) == ("sent", [], 1)


def test_an_outcome_that_can_not_be_noted_is_left_to_the_next_when_the_claim_ends(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "CLAIM_S", 0.0)

    def fail(*_: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(deliveries, "_note", fail)
    (row,) = queue(channel(), message())
    with pytest.raises(OperationalError):
        work(AT)
    row.refresh_from_db()
    assert row.state == "sending"


def test_a_test_is_tried_once_and_nobody_is_told_that_it_failed(outside: Outside) -> None:
    make.admin()
    outside.answers["https://ops.example.com"] = ChannelError("It is away.")
    to = channel()
    row = channels.test(SYSTEM, to.pk)
    work(time.time())
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "It is away.")
    assert not Notification.objects.exists()


def test_an_error_shows_no_credential(outside: Outside) -> None:
    outside.answers["https://ops.example.com"] = ChannelError(f"No such hook: {SECRET}.", permanent=True)
    queue(channel(), message())
    work(AT)
    assert [row.error for row in Delivery.objects.all()] == ["No such hook: …."]


def test_old_deliveries_are_forgotten(outside: Outside) -> None:
    queue(channel(), message())
    deliveries.forget(AT + KEPT.total_seconds() - 1)
    assert Delivery.objects.exists()
    deliveries.forget(AT + (KEPT + timedelta(seconds=1)).total_seconds())
    assert not Delivery.objects.exists()


def test_without_a_picture_the_message_still_goes(outside: Outside) -> None:
    queue(channel(), message(chart=Chart(rule=12345, series={"host": "web-1"}, at=AT, fired=AT)))
    work(AT)
    assert outside.jobs[0].message.picture is None


def test_a_process_of_its_own_sends_it_and_notes_the_answer_so_that_it_is_sent_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivering, "ask", lambda ids: None)
    with hook() as receiver:
        (row,) = queue(channel(url=receiver.url), message())
        work(AT)
        row.refresh_from_db()
        assert row.state == "sent"
        # as if the worker had been killed before it could say so
        Delivery.objects.update(state="sending", claimed_until=datetime_of(AT + 1), receipt={})
        work(AT + 2)
        row.refresh_from_db()
        assert row.state == "sent"
        assert row.receipt["id"]
        assert len(receiver.got) == 1
    assert json.loads(receiver.got[0][2])["key"] == "one"
