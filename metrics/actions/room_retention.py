"""How long messages stay in a room: those that are older than the room keeps them are removed, with their files."""

from datetime import datetime, timedelta

from django.db import transaction

from metrics.actions import file_retention
from metrics.models import Attachment, Message, Room
from metrics.times import datetime_of

BATCH = 500
"""Messages of one transaction."""


def prune(now: float) -> None:
    """Remove messages that are older at `now` (Unix seconds) than their rooms keep them."""
    for room, days in Room.objects.exclude(keep_days=None).values_list("pk", "keep_days"):
        while _prune(room, datetime_of(now) - timedelta(days=days or 0)):
            pass


def _prune(room: int, oldest: datetime) -> bool:
    """Remove the first messages of a room (id) that are before `oldest`; return whether there may be more of them.

    They are looked for by their numbers, which have an index: times have none.
    """
    with transaction.atomic():
        first = list(Message.objects.filter(room=room).order_by("number").values_list("pk", "at")[:BATCH])
        old = [pk for pk, at in first if at < oldest]
        if old:
            file_retention.discard(Attachment.objects.filter(message__in=old))
            Message.objects.filter(pk__in=old).delete()
    return len(old) == BATCH
