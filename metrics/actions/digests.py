"""Digests: what a channel hears of together is held as rows, and goes as one message at the times that it asks for.

Each message that is held is a delivery, stored with what it tells. The digest is a delivery of its own, made in the
transaction that notes of these that they went with it: so nothing is lost, and nothing told twice, whatever ends. That
of a channel that is off fails, as all that waits there does, and the next channel steps in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import DateTimeField, QuerySet

from metrics.actions import alert_changes, channel_configs, deliveries
from metrics.models import Channel, Delivery, Incident
from metrics.models.log import sender
from metrics.notify.message import Line, Message
from metrics.prepared_query import Given, PreparedQuery
from metrics.times import datetime_of
from metrics.widgets.units import lasted

LINES_MOST = 30
CONVERSATION = "incident:"


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for a digest: its row (id), its conversation, its state, and what it is about."""

    id: int
    conversation: str
    state: str
    subject: str


def _due_by(moment: datetime | Given) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=Delivery.HELD, next_at__lte=moment)


_DUE = PreparedQuery(
    lambda moment: _due_by(moment).order_by("channel").values_list("channel").distinct(), DateTimeField()
)


def send(now: float) -> int:
    """Queue the digests that are due at `now` (Unix seconds); return how many."""
    moment, count = datetime_of(now), 0
    for (pk,) in _DUE.rows(moment):
        with transaction.atomic():
            channel = Channel.objects.select_for_update(no_key=True).filter(pk=pk).first()
            if channel is None or not _due_by(moment).filter(channel=pk).exists():
                continue  # somebody was faster
            rows = Delivery.objects.filter(channel=pk, state=Delivery.HELD).order_by("pk")
            names = ("pk", "conversation", "document__state", "document__subject")
            held = [Held(*one) for one in rows.values_list(*names)]
            Delivery.objects.filter(pk__in=[one.id for one in held]).update(state=Delivery.GATHERED)
            deliveries.queue([channel], message(channel, held, now), at=now, though_off=True)
            alert_changes.note("channel")
            count += 1
    return count


def message(channel: Channel, held: Sequence[Held], now: float) -> Message:
    """Return what `channel` is told of the messages that were `held`: what began, what is over, and what still is."""
    told = {one.conversation for one in held}
    news = Incident.objects.filter(pk__in=_ids(told)).order_by("opened_at", "pk")
    began = {one.conversation for one in held if one.state == "firing"}
    waits = {one.conversation for one in held if one.state == "escalated"}
    begun = [one for one in news if one.resolved_at is None and _name(one) in began]
    ended = [one for one in news if one.resolved_at is not None]
    open_ = {*_open(channel), *(one for one in news if one.resolved_at is None)}
    still = sorted(open_.difference(begun), key=lambda one: (one.opened_at, one.pk))
    lines = [
        *(_line("Began", one, waits, now) for one in begun),
        *(_line("Began and ended" if _name(one) in began else "Ended", one, waits, now) for one in ended),
        *(_line("Still", one, waits, now) for one in still),
    ]
    gone = told - {_name(one) for one in news}  # such incidents are not there any more
    newest = {one.conversation or str(one.id): one for one in held}
    lines += [Line(one.subject) for one in newest.values() if not one.conversation or one.conversation in gone]
    parts = [
        f"{len(those)} {word}"
        for those, word in (
            ([*begun, *(one for one in ended if _name(one) in began)], "began"),
            (ended, "ended"),
            (still, "still is" if len(still) == 1 else "still are"),
        )
        if those
    ]
    return Message(
        subject=", ".join(parts) or f"{len(held)} message{'' if len(held) == 1 else 's'}",
        state="digest",
        key=f"digest:{channel.pk}:{held[-1].id}",
        at=now,
        lines=tuple(lines[:LINES_MOST]),
        more=max(0, len(lines) - LINES_MOST),
        url=deliveries.address_of("/incidents/"),
    )


def _open(channel: Channel) -> list[Incident]:
    """Return the incidents that are there, that `channel` heard of, and that it hears of in digests."""
    spec = channel_configs.digest_of(channel)
    rows = Incident.objects.filter(resolved_at=None)
    found = {_name(one): one for one in (rows.filter(severity__in=spec.severities) if spec else rows)}
    heard = Delivery.objects.filter(channel=channel, conversation__in=found).order_by()
    names = set(heard.values_list("conversation", flat=True).distinct())
    return [one for name, one in found.items() if name in names]


def _line(word: str, incident: Incident, waits: Iterable[str], now: float) -> Line:
    text, url = f"{word}: {incident.title}", deliveries.address_of(f"/incidents/{incident.pk}/")
    if incident.resolved_at is not None:
        lasted_s = (incident.resolved_at - incident.opened_at).total_seconds()
        return Line(f"{text}, after {lasted(lasted_s)}", url=url)
    if incident.acknowledged_by:
        text += f", {sender(incident.acknowledged_by)} has it"
    elif _name(incident) in waits:
        text += ", nobody has taken it"
    return Line(text, since=incident.opened_at.timestamp(), url=url)


def _name(incident: Incident) -> str:
    return f"{CONVERSATION}{incident.pk}"


def _ids(conversations: Iterable[str]) -> list[int]:
    ids = (one.removeprefix(CONVERSATION) for one in conversations if one.startswith(CONVERSATION))
    return [int(one) for one in ids if one.isdecimal()]
