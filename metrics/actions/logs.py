"""Logs: topics whose entries are all delivered, in the order of their numbers, which is the order of their commits."""

from collections.abc import Iterable

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from metrics.live.topic import Topic
from metrics.models import LogHead


def next_number(topic: Topic) -> int:
    """Return the number of the entry that this transaction appends to `topic`. Others wait until it ends."""
    if not connection.in_atomic_block:
        raise RuntimeError("An entry is numbered in the transaction that stores it.")
    name = str(topic)
    if not LogHead.objects.filter(topic=name).update(newest=F("newest") + 1):
        try:
            with transaction.atomic():
                LogHead.objects.create(topic=name, newest=1)
        except IntegrityError:  # another began the log meanwhile
            LogHead.objects.filter(topic=name).update(newest=F("newest") + 1)
    return LogHead.objects.values_list("newest", flat=True).get(topic=name)


def newest(topics: Iterable[Topic]) -> dict[Topic, int]:
    """Return the number of the newest entry of each of `topics`, 0 for one without any, as one query."""
    names = {str(topic): topic for topic in topics}
    found = dict(LogHead.objects.filter(topic__in=names).values_list("topic", "newest"))
    return {topic: found.get(name, 0) for name, topic in names.items()}
