"""Deliveries: one row for each message through each channel, until it is sent or has failed.

A row that is due is claimed, sent by a process of its own, and then sent, failed, or due again later. A claim that
nobody finished ends, so nothing is lost with a worker; what was answered meanwhile is noted in Redis.
"""

import hashlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from celery.exceptions import OperationalError
from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet
from redis import RedisError

from metrics.access.policy import concerned, visible
from metrics.access.principal import SYSTEM, Principal
from metrics.actions import alert_changes, channel_configs, chart_pictures, credentials, delivery_notes, notifications
from metrics.actions.errors import Missing
from metrics.actions.notification_settings import CHANNEL
from metrics.database import after_commit, unavailable
from metrics.models import Channel, Delivery
from metrics.notify.base import ChannelError, Receipt
from metrics.notify.message import Message
from metrics.notify.registry import kind_of
from metrics.notify.rendering import subject
from metrics.notify.sending.process import WAITS_S, Job, ahead, send
from metrics.prepared_query import Given, PreparedQuery
from metrics.redis_state import delivering, outage
from metrics.times import datetime_of

log = structlog.get_logger(__name__)

WAITS_BETWEEN_S = (5.0, 20.0, 60.0, 120.0, 240.0)
TRIES = len(WAITS_BETWEEN_S) + 1
BEGUN_MOST = TRIES + 3
"""So often is begun what never ends, as it takes the worker with it."""
JITTER = 0.2
WAIT_MOST_S = 3600.0
"""Nobody is left alone for longer, whatever they ask for."""
CLAIM_S = WAITS_S + 15
OURS_MOST_S = sum(WAITS_BETWEEN_S)
"""A younger message does not fail for what goes wrong here: that is no try of its channel."""
NOTES_EVERY_S = 1.0
FAILED_HERE = "Watchfloor failed; its log says why."
KEPT = timedelta(days=90)
LOOKED_AT = 500
ERROR_MOST = 300
GATHERED_STATES = ("firing", "update", "escalated", "resolved")
"""Messages that may go with a digest."""
EARLIER_MOST = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this process alone sends, `until` then."""

    row: Delivery
    until: datetime


def queue(
    channels: Sequence[Channel], message: Message, *, at: float, at_once: bool = False, though_off: bool = False
) -> list[Delivery]:
    """Have `message` go through `channels`, in the caller's transaction; return the rows, also those there were.

    A channel that got a message with the same key before gets no other; one that is off gets none, or with
    `though_off` one that fails, so that the next channel steps in. An earlier update of the same conversation that
    still waits is replaced by this one. One that hears of such in digests is told then, unless it is to be told
    `at_once`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A message is queued in the transaction of what it tells.")
    now, told = datetime_of(at), [one for one in channels if one.enabled or though_off]
    rows = [
        Delivery(
            channel=one,
            conversation=message.conversation,
            key=message.key,
            document=message.document(),
            created_at=now,
            state=Delivery.WAITING if until is None else Delivery.HELD,
            next_at=now if until is None else datetime_of(until),
        )
        for one in told
        for until in [None if at_once else _held_until(one, message, at)]
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    if any(one.state == Delivery.HELD for one in rows):
        alert_changes.note("channel")
    found = list(Delivery.objects.filter(channel__in=told, key=message.key).order_by("pk"))
    waiting = [one for one in found if one.state == Delivery.WAITING]
    if message.conversation and waiting:
        at_hand = [one.channel_id for one in waiting]
        older = Delivery.objects.filter(channel__in=at_hand, conversation=message.conversation, pk__lt=waiting[0].pk)
        older.filter(state=Delivery.WAITING, document__state="update").update(state=Delivery.REPLACED)
    after_commit(_start, [one.pk for one in waiting])
    return found


def hold_anew(channel: Channel, now: float) -> None:
    """Have what is held follow the digest of `channel`, which was changed; without one it goes at once, together."""
    spec = channel_configs.digest_of(channel)
    until = datetime_of(now if spec is None else spec.next_after(now))
    Delivery.objects.filter(channel=channel, state=Delivery.HELD).update(next_at=until)


def _held_until(channel: Channel, message: Message, now: float) -> float | None:
    """Return when `channel` hears of `message` in a digest; None for at once."""
    spec = channel_configs.digest_of(channel) if message.state in GATHERED_STATES else None
    return None if spec is None or message.severity not in spec.severities else spec.next_after(now)


def address_of(path: str) -> str:
    """Return the address of a page of ours as others open it: that of PUBLIC_URL, else of this machine."""
    base = settings.PUBLIC_URL.rstrip("/") or f"http://{settings.HOST}:{settings.PORT}"
    return f"{base}{path}"


def due(now: float) -> list[int]:
    """Return the deliveries (ids) that may be sent at `now`: of each channel the oldest."""
    first: dict[int, int] = {}
    for pk, channel in _FREE.rows(datetime_of(now)):
        first.setdefault(channel, pk)
    return list(first.values())


def deliver(id: int, now: float) -> None:
    """Send the delivery `id`, if nobody else does and its channel is free."""
    claim = _claim(id, datetime_of(now))
    if claim is None:
        return
    began = time.monotonic()
    outcome = _outcome(claim.row)
    ended = now + time.monotonic() - began
    _end(claim, outcome, ended, began + CLAIM_S)
    if next_one := [one for one in due(ended) if Delivery.objects.filter(pk=one, channel=claim.row.channel).exists()]:
        _start(next_one)


def find(by: Principal, id: int) -> Delivery:
    """Return the delivery `id` with its channel. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Delivery).select_related("channel__team").filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no delivery {id}.")
    return found


def forget(now: float) -> None:
    """Remove what is older than `KEPT` at `now` (Unix seconds)."""
    Delivery.objects.filter(created_at__lt=datetime_of(now) - KEPT).delete()


def wait_s(tried: int, asked_s: float | None, chance: float) -> float:
    """Return the seconds until the next try, after the `tried`th (from 1); `chance` is from 0 to 1.

    `asked_s` is what the other side asks for.
    """
    usual = WAITS_BETWEEN_S[min(tried, len(WAITS_BETWEEN_S)) - 1] * (1 + JITTER * (2 * chance - 1))
    return usual if asked_s is None else min(WAIT_MOST_S, max(usual, asked_s))


def free(now: datetime | Given) -> QuerySet[Delivery]:
    """Return the rows that may be sent: their channel is free, and nothing goes before in the conversation."""
    of_channel = Delivery.objects.filter(channel=OuterRef("channel"))
    busy = of_channel.filter(state=Delivery.SENDING, claimed_until__gt=now)
    before = of_channel.filter(conversation=OuterRef("conversation"), pk__lt=OuterRef("pk"), state__in=Delivery.OPEN)
    return Delivery.objects.filter(
        Q(state=Delivery.WAITING, next_at__lte=now) | Q(state=Delivery.SENDING, claimed_until__lte=now),
        ~Exists(busy),
        Q(conversation="") | ~Exists(before),
    )


_FREE = PreparedQuery(lambda now: free(now).order_by("pk").values_list("pk", "channel")[:LOOKED_AT], DateTimeField())


def _claim(id: int, now: datetime) -> Claim | None:
    """Take the delivery `id`; None if it is not to be sent now.

    Other processes that want a delivery of the same channel wait.
    """
    with transaction.atomic():
        row = Delivery.objects.filter(pk=id).first()
        if row is None:
            return None
        channel = (
            Channel.objects.select_for_update(no_key=True, of=("self",)).select_related("team").get(pk=row.channel_id)
        )
        until = now + timedelta(seconds=CLAIM_S)
        taken = free(now).filter(pk=id)
        if not taken.exists():
            return None
        if not channel.enabled or row.attempts >= BEGUN_MOST:
            said = f"It was begun {row.attempts} times, and never ended." if channel.enabled else "The channel is off."
            row.channel = channel
            _note(row, ChannelError(said, permanent=True), now.timestamp())
            return None
        taken.update(state=Delivery.SENDING, claimed_until=until, attempts=F("attempts") + 1)
        row.refresh_from_db()
        row.channel = channel
        return Claim(row, until)


def _outcome(row: Delivery) -> Receipt | ChannelError:
    """Return what came of sending, also if that failed here: a claim that nobody ends keeps the channel waiting."""
    try:
        return _send(row)
    except Exception as error:
        if reason := unavailable(error):
            outage.log(f"a delivery was put off: {reason}", error)
            return ChannelError(f"{reason}.", is_ours=True)
        log.exception("a delivery failed", delivery=row.pk)
        return ChannelError(FAILED_HERE)


def _end(claim: Claim, outcome: Receipt | ChannelError, at: float, until: float) -> None:
    """Note what came of a claim, unless somebody else has the delivery by now.

    A database that is away is asked again `until` then (of time.monotonic): who comes later would not know the outcome.
    """
    while True:
        try:
            with transaction.atomic():
                mine = Delivery.objects.filter(pk=claim.row.pk, state=Delivery.SENDING, claimed_until=claim.until)
                row = mine.select_for_update(of=("self",)).select_related("channel__team").first()
                if row is not None:
                    incident = delivery_notes.hold(row)
                    _note(row, outcome, at)
                    if incident is not None:
                        delivery_notes.note(incident, row)
            return
        except Error as error:
            if not unavailable(error) or time.monotonic() >= until:
                raise
            outage.log("the outcome of a delivery waits", error)
        if not connection.in_atomic_block:
            connection.close()  # it may be what is broken
        time.sleep(NOTES_EVERY_S)


def _send(row: Delivery) -> Receipt | ChannelError:
    """Return what came of sending: a receipt, or why there is none."""
    channel, secret = row.channel, {}
    try:
        kind_of(channel.kind)
        secret = channel_configs.secrets_of(channel)
        config = channel_configs.full(channel, secret)
        ahead([channel.kind])  # it loads while the picture is drawn
        message = chart_pictures.with_picture(Message.of(row.document))
        job = Job(channel.kind, config, channel.trusted, message, _noted_as(row), _earlier(row))
        if not connection.in_atomic_block:
            connection.close()  # others need it more than somebody who waits
        return send(job)
    except KeyError:  # of `kind_of`
        return ChannelError(f"There is no kind of channel {channel.kind!r} any more.", permanent=True)
    except (credentials.LostKey, ValueError) as problem:  # such as a config that a later release stored
        return ChannelError(str(problem), permanent=True)
    except ChannelError as problem:
        said = credentials.hide(str(problem), secret)
        return ChannelError(said, permanent=problem.permanent, wait_s=problem.wait_s, is_ours=problem.is_ours)


def _earlier(row: Delivery) -> list[str]:
    """Return the ids of what was sent of the conversation, the oldest first."""
    if not row.conversation:
        return []
    sent = Delivery.objects.filter(channel=row.channel, conversation=row.conversation, state=Delivery.SENT)
    ids = [one["id"] for one in sent.order_by("-pk").values_list("receipt", flat=True)[:EARLIER_MOST] if one.get("id")]
    return ids[::-1]


def _noted_as(row: Delivery) -> str:
    """Return the key in Redis that says that a channel took a message."""
    digest = hashlib.sha256(f"{row.channel_id}:{row.created_at.isoformat()}:{row.key}".encode()).hexdigest()
    return f"{delivering.SENT}{digest[:32]}"


def _note(row: Delivery, outcome: Receipt | ChannelError, at: float) -> None:
    """Note what came of sending `row`."""
    if isinstance(outcome, Receipt):
        if _failed_before(row):
            alert_changes.note("channel")
        row.state, row.sent_at, row.error = Delivery.SENT, datetime_of(at), ""
        row.receipt = {name: text for name, text in (("said", outcome.said), ("id", outcome.id)) if text}
        row.save(update_fields=["state", "sent_at", "error", "receipt"])
        # it answers again: what waits for that need not wait
        waiting = Delivery.objects.filter(channel=row.channel, state=Delivery.WAITING, next_at__gt=datetime_of(at))
        waiting.update(next_at=datetime_of(at))
        return
    row.error = str(outcome)[:ERROR_MOST]
    is_test = row.document["state"] == "test"
    if outcome.is_ours and at - row.created_at.timestamp() < OURS_MOST_S:
        row.attempts -= 1  # of the channel nothing is known
    if outcome.permanent or row.attempts >= TRIES or is_test:
        row.state = Delivery.FAILED
        row.save(update_fields=["state", "error"])
        alert_changes.note("channel")
        log.warning("nobody was told", channel=row.channel.name, delivery=row.pk, error=row.error)
        if not is_test:
            _step_in(row, at)
        return
    row.state = Delivery.WAITING
    row.next_at = datetime_of(at + wait_s(max(1, row.attempts), outcome.wait_s, random.random()))  # noqa: S311
    row.save(update_fields=["state", "next_at", "error", "attempts"])


def _failed_before(row: Delivery) -> bool:
    ended = Delivery.objects.filter(channel=row.channel, state__in=(Delivery.SENT, Delivery.FAILED)).order_by("-pk")
    return ended.values_list("state", flat=True).first() == Delivery.FAILED


def _step_in(row: Delivery, at: float) -> None:
    """Have the next channel of the team try what failed, and tell people in the page."""
    channel = row.channel
    behind = Q(position__gt=channel.position) | Q(position=channel.position, pk__gt=channel.pk)
    others = Channel.objects.filter(behind, team=channel.team, enabled=True).exclude(deliveries__key=row.key)
    following = others.order_by("position", "pk").first()
    message = Message.of(row.document)
    if following is not None:
        queue([following], message, at=at, at_once=True)
    goes_on = f" {following.name} is tried instead." if following else " No other channel is left."
    text = f"{channel.name} could not deliver “{subject(message)}”: {row.error}{goes_on}"
    told = sorted(concerned(channel).values_list("pk", flat=True))
    about, key = f"/channels/{channel.pk}/", f"channel:{row.pk}"
    notifications.send(SYSTEM, told, CHANNEL, text[: notifications.TEXT_MOST], about, key)


def _start(ids: Sequence[int]) -> None:
    try:
        delivering.ask(ids)
    except (RedisError, OperationalError) as error:
        outage.log("deliveries wait", error)  # the next tick starts them
