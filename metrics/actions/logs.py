"""Logs: topics whose entries are all delivered, in the order of their numbers, which is the order of their commits.

An entry is a new thing, or a change of one. Numbers are taken in the transaction that stores the entry; other
transactions that want one of the same topic wait until it ends.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db import connection
from django.db.models import F

from metrics.live.topic import Topic
from metrics.models import LogHead


class Head(NamedTuple):
    """The number of the newest entry of a log, and how many new things were said in it."""

    newest: int
    said: int


def take_numbers(wanted: Mapping[Topic, int]) -> dict[Topic, Head]:
    """Take so many numbers of each topic, for new things; return the heads with them.

    They are the last ones: of three, those from `newest` - 2 to `newest`.
    """
    heads = _held(wanted)
    of_count: defaultdict[int, list[str]] = defaultdict(list)
    for topic, count in wanted.items():
        of_count[count].append(str(topic))
    for count, names in of_count.items():
        LogHead.objects.filter(topic__in=names).update(newest=F("newest") + count, said=F("said") + count)
    return {
        topic: Head(heads[str(topic)].newest + count, heads[str(topic)].said + count) for topic, count in wanted.items()
    }


def take_number_of_change(topic: Topic) -> int:
    """Take the number of an entry that changes something said before."""
    head = _held([topic])[str(topic)]
    LogHead.objects.filter(pk=head.pk).update(newest=F("newest") + 1)
    return head.newest + 1


def hold(topics: Collection[Topic]) -> None:
    """Lock the heads of `topics` for a transaction that takes numbers of them more than once."""
    if topics:
        _held(topics)


def heads(topics: Iterable[Topic]) -> dict[Topic, Head]:
    """Return the head of each of `topics`, zeros for one without entries, as one query."""
    names = {str(topic): topic for topic in topics}
    found = {one.topic: Head(one.newest, one.said) for one in LogHead.objects.filter(topic__in=names)}
    return {topic: found.get(name, Head(0, 0)) for name, topic in names.items()}


def newest(topics: Iterable[Topic]) -> dict[Topic, int]:
    """Return the number of the newest entry of each of `topics`, 0 for one without any, as one query."""
    return {topic: head.newest for topic, head in heads(topics).items()}


def _held(topics: Iterable[Topic]) -> dict[str, LogHead]:
    """Return the rows of `topics`, locked until the transaction ends, always in the same order."""
    if not connection.in_atomic_block:
        raise RuntimeError("An entry is numbered in the transaction that stores it.")
    names = sorted(str(topic) for topic in topics)
    rows = LogHead.objects.select_for_update().filter(topic__in=names).order_by("topic")
    found = {one.topic: one for one in rows}
    if len(found) < len(names):
        missing = [LogHead(topic=name) for name in names if name not in found]
        LogHead.objects.bulk_create(missing, ignore_conflicts=True)
        found = {one.topic: one for one in rows.all()}
    return found
