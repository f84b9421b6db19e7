"""The one way out, to every process that shows a topic.

A new version of a variant goes into its snapshot first. An entry of a log is in the database already. Something for one
person or one screen goes to every process, since any may have their sockets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, Protocol, TypedDict

from channels.layers import get_channel_layer
from redis import RedisError

from metrics.live import snapshot
from metrics.live.topic import Topic
from metrics.redis_state import outage
from metrics.redis_state.connection import run

FRAGMENTS = "fragments"
RECHECK = "recheck"
ENTRY = "entry"
PERSONAL = "element"
"""Another word than that of earlier releases, which named a user: each takes no notice of the other's messages."""
UNREAD = "unread"
NOTIFIED = "notified"
ALERTS = "alerts"
PROCESSES = "rechecks"
"""The group of every process that has sockets open."""


class Message(TypedDict):
    """Message to a process: the fragments that version `version` of `topic` changed, by the key of the widget.

    That of a widget that was removed is empty. `changed_at` is when the oldest of the changes was accepted, in Unix
    seconds. `layout` is a digest of which widgets there are, empty if that never changes by itself.
    """

    type: str
    topic: str
    epoch: str
    version: int
    revision: int
    changed_at: float
    fragments: dict[str, str]
    layout: NotRequired[str]


class Recheck(TypedDict):
    """Request to check access again: of the sockets of `user` (id), or of those on `dashboard` (id); None means any."""

    type: str
    user: int | None
    dashboard: int | None


class Audience(NamedTuple):
    """The people an entry is for: those of some `teams` (ids), or everyone."""

    for_everyone: bool
    teams: list[int]


class Entry(TypedDict):
    """An entry of a log topic: its `number`, counted from 1 without a gap, as `html` and as `data` for programs.

    Pages swap the HTML into the element `target` as htmx does: one that is new is appended, one that changes something
    replaces it. One with an `audience` is for those of the followers alone who belong to it.
    """

    number: int
    target: str
    swap: str
    html: str
    data: dict[str, Any]
    audience: NotRequired[Sequence[Any]]


class Appended(TypedDict):
    """Message to a process: entries, in order, were appended to the log `topic`."""

    type: str
    topic: str
    entries: list[Entry]


class Holding(Protocol):
    """A principal, as far as messages name it: `holder` is `user:<id>` or `screen:<id>`."""

    @property
    def holder(self) -> str: ...


class Person(NamedTuple):
    """A person, of whom only the `id` is known."""

    id: int

    @property
    def holder(self) -> str:
        return f"user:{self.id}"


class Personal(TypedDict):
    """Message to a process: an element for every tab of a person, or for a screen, as `holder` says."""

    type: str
    holder: str
    target: str
    swap: str
    html: str


class Unread(TypedDict):
    """Message to a process: what `users` (ids) have not read of rooms changed, or that of everyone in `rooms` (ids)."""

    type: str
    users: list[int]
    rooms: list[int]


class Addressee(NamedTuple):
    """A person (id) who got a notification: its number in their log, how many are `unread`, whether it `shows`."""

    user: int
    number: int
    unread: int
    shows: bool


class Notified(TypedDict):
    """Message to a process: the same notification for many `people`, each an Addressee as a list.

    `html` and `data` are those of an entry; only the number differs from person to person.
    """

    type: str
    people: list[list[Any]]
    html: str
    data: dict[str, Any]


class AlertsChanged(TypedDict):
    """Message to a process: alerts changed, for the `number`th time. `bad` of them nobody took, `critical` fire."""

    type: str
    number: int
    bad: int
    critical: int


def group(topic: Topic) -> str:
    """Return the channel layer's group of `topic`."""
    return f"topic.{topic.short}"


def publish(
    topic: Topic,
    fragments: Mapping[str, str],
    revision: int,
    changed_at: float,
    turn: int,
    *,
    whole: bool = False,
    layout: str = "",
) -> None:
    """Store `fragments` (HTML or JSON by widget key) as a new version and send those that changed.

    `whole` says that there are no other widgets, so that what is left of deleted ones goes; `layout` is a digest of
    which there are. Raises snapshot.OvertakenError if `turn` is not the newest any more, redis.RedisError or
    TimeoutError when Redis does not answer.
    """
    stored = snapshot.store(topic, fragments, revision, turn, whole=whole, layout=layout)
    if not stored.is_new:
        # A version is sent once, with all it changed, or not at all: should that once have failed, a message
        # without its fragments would make processes believe that they have them. They compare and heal instead.
        return
    message: Message = {
        "type": FRAGMENTS,
        "topic": str(topic),
        "epoch": stored.epoch,
        "version": stored.version,
        "revision": revision,
        "changed_at": changed_at,
        "fragments": {widget: fragments[widget] for widget in stored.changed} | dict.fromkeys(stored.removed, ""),
        "layout": layout,
    }
    run(_send((group(topic), dict(message))))


def append(entries: Mapping[Topic, Sequence[Entry]]) -> None:
    """Send entries of logs, by their topics, which are committed, to every process that shows one of these.

    Without Redis this is only logged: processes compare what they have with the database.
    """
    messages = [Appended(type=ENTRY, topic=str(topic), entries=list(those)) for topic, those in entries.items()]
    _try_to_send(*((group(topic), dict(message)) for topic, message in zip(entries, messages, strict=True)))


def send_to(to: Holding, target: str, swap: str, html: str) -> None:
    """Send an element to every open tab of a person, or to a screen, on any process.

    That is `html`, swapped into `target` as htmx does.

    Without Redis this is only logged: pages get the element when they are loaded.
    """
    _try_to_send((PROCESSES, dict(Personal(type=PERSONAL, holder=to.holder, target=target, swap=swap, html=html))))


def unread(*, users: Iterable[int] = (), rooms: Iterable[int] = ()) -> None:
    """Have every process count anew what `users` (ids) have not read, or what everyone has not of `rooms` (ids).

    Without Redis this is only logged: pages count when they are loaded.
    """
    _try_to_send((PROCESSES, dict(Unread(type=UNREAD, users=list(users), rooms=list(rooms)))))


def notify(people: Sequence[Addressee], html: str, data: Mapping[str, Any]) -> None:
    """Tell every process of a notification that `people` got, which is committed: one message for all of them.

    Without Redis this is only logged: processes compare what they have with the database.
    """
    message = Notified(type=NOTIFIED, people=[list(one) for one in people], html=html, data=dict(data))
    _try_to_send((PROCESSES, dict(message)))


def alerts_changed(number: int, bad: int, critical: int) -> None:
    """Tell every process that alerts changed, which is committed.

    Without Redis this is only logged: each process compares the number, and pages fetch what they show now and then.
    """
    _try_to_send((PROCESSES, dict(AlertsChanged(type=ALERTS, number=number, bad=bad, critical=critical))))


def recheck(*, user: int | None = None, dashboard: int | None = None) -> None:
    """Have every process look again whether the sockets concerned may stay open.

    Without Redis this is only logged: each process looks at all its sockets once a minute anyway.
    """
    _try_to_send((PROCESSES, dict(Recheck(type=RECHECK, user=user, dashboard=dashboard))))


def _try_to_send(*messages: tuple[str, dict[str, Any]]) -> None:
    """Send messages, each to its group, in this order."""
    try:
        run(_send(*messages))
    except (RedisError, TimeoutError) as error:
        outage.log("open sockets were not told", error)


async def _send(*messages: tuple[str, dict[str, Any]]) -> None:
    layer = get_channel_layer()
    assert layer is not None
    for name, message in messages:
        await layer.group_send(name, message)
