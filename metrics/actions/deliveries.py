"""Deliveries: each message through each channel is a row, which waits until somebody out there was told."""

import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import structlog
from celery.exceptions import OperationalError
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from redis import RedisError

from metrics.models import Channel, Delivery
from metrics.notify.message import Message
from metrics.redis_state import delivering, outage
from metrics.times import datetime_of

log = structlog.get_logger(__name__)


def queue(channels: Sequence[Channel], message: Message, *, at: float) -> list[Delivery]:
    """Have `message` go through `channels`, in the caller's transaction; return the rows, also those there were.

    A channel that got a message with the same key before gets no other; one that is off gets none. An earlier update
    of the same conversation that still waits is replaced by this one.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A message is queued in the transaction of what it tells.")
    now = datetime_of(at)
    told = [one for one in channels if one.enabled]
    rows = [
        Delivery(
            channel=one,
            conversation=message.conversation,
            key=message.key,
            document=message.document(),
            created_at=now,
            next_at=now,
        )
        for one in told
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    found = list(Delivery.objects.filter(channel__in=told, key=message.key).order_by("pk"))
    if message.conversation:
        newest = max((one.pk for one in found), default=0)
        older = Delivery.objects.filter(channel__in=told, conversation=message.conversation, pk__lt=newest)
        waiting = older.filter(state=Delivery.WAITING, document__state="update").exclude(key=message.key)
        waiting.update(state=Delivery.REPLACED)
    transaction.on_commit(partial(_start, [one.pk for one in found]), robust=True)
    return found


def _start(ids: Sequence[int]) -> None:
    try:
        delivering.ask(ids)
    except (RedisError, OperationalError) as error:
        outage.log("deliveries wait", error)  # the next tick starts them
