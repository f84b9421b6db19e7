"""Mentions: @person and @team in what is said in rooms, and who is told of it."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet

from metrics import markdown
from metrics.access.policy import SEE, check, readers, teams_in
from metrics.access.principal import Principal
from metrics.actions import logs, notifications, rooms
from metrics.live.topic import person
from metrics.models import Message, Notification, Reading, Room

MOST = 50
"""Names in one message that are looked up, and people who are told of it."""
SUGGESTED = 8
EXCERPT_MOST = 300
USER, TEAM = "user:", "team:"
_NAME = re.compile(r"[\w.@+-]+")


def find(text: str, room: Room) -> list[str]:
    """Return whom `text` mentions of those who may see `room`: user:NAME and team:NAME, each once."""
    behind = markdown.behind_at(text, MOST)
    if not behind:
        return []
    words = {name for one in behind if (found := _NAME.match(one)) for name in (found[0], found[0].rstrip(".+-@"))}
    names = readers(room).filter(username__in=words).values_list("username", flat=True)
    known = {name: f"{TEAM}{name}" for name in teams_in(room).values_list("name", flat=True)}
    known.update({name: f"{USER}{name}" for name in names})
    longest_first = sorted(known, key=len, reverse=True)
    names_found = [next((name for name in longest_first if markdown.begins_with(one, name)), None) for one in behind]
    return [known[name] for name in dict.fromkeys(names_found) if name is not None]


class MentionNotice(NamedTuple):
    """People (ids) to tell of a message, and what they are told: the fields of a notification."""

    people: list[int]
    kind: str
    text: str
    about: str
    key: str


def notify_all(said: Sequence[tuple[Principal, Message, Room]]) -> None:
    """Tell those whom messages mention, in the transaction around this; in a direct conversation the other person.

    Nobody is told twice of a message. The other person of a direct conversation is told once until they have read on.
    """
    found = [(by, notice) for by, message, room in said for notice in _notices(message, room)]
    # In one order for all, or two processes that tell the same people in different orders would deadlock.
    logs.hold({person(user) for _, notice in found for user in notice.people})
    for by, notice in found:
        notifications.send(by, *notice)


def reword(message: Message, room: Room) -> None:
    """Have notifications that quote a message quote its new text, in the transaction around this; nobody is told anew.

    Those of people who may not see the room any more stay as they are.
    """
    notifications.reword(_quoting(message, room).filter(user__in=readers(room)), _quotation(message, room))


def take_back(message: Message, room: Room) -> None:
    """Remove what people were told of a message that is being deleted, whomever it mentioned before it was edited."""
    notifications.take_back(_quoting(message, room))


def _quoting(message: Message, room: Room) -> QuerySet[Notification]:
    """Return the notifications that quote a message."""
    if room.direct:
        return Notification.objects.filter(user__in=room.people.all(), kind="direct", about=_about(message, room))
    return Notification.objects.filter(key=_key(message), kind="mention", by=message.by)


def _quotation(message: Message, room: Room) -> str:
    said = markdown.plain(message.text)[:EXCERPT_MOST]
    return f"{message.sender}: {said}" if room.direct else f"{message.sender} in {room.owner}: {said}"


def _about(message: Message, room: Room) -> str:
    return f"/rooms/{room.pk}/#m-{message.number}"


def _key(message: Message) -> str:
    return f"mention-{message.pk}"


def _notices(message: Message, room: Room) -> Iterator[MentionNotice]:
    if not message.mentions and not room.direct:
        return
    about, text = _about(message, room), _quotation(message, room)
    people = readers(room).exclude(pk=message.user_id or 0)
    if room.direct:
        for user in people:
            read = Reading.objects.filter(user=user, room=room).values_list("number", flat=True).first()
            key = f"direct-{room.pk}-{read or 0}"
            yield MentionNotice([user.pk], "direct", text, about, key)
        return
    users = [one.removeprefix(USER) for one in message.mentions if one.startswith(USER)]
    teams = [one.removeprefix(TEAM) for one in message.mentions if one.startswith(TEAM)]
    named = people.filter(Q(username__in=users) | Q(groups__name__in=teams)).order_by("pk").distinct()
    ids = list(named.values_list("pk", flat=True)[:MOST])
    if ids:
        yield MentionNotice(ids, "mention", text, about, _key(message))


def suggested(by: Principal, id: int, typed: str) -> list[dict[str, str]]:
    """Return people and teams that may be mentioned in a room and whose names begin with `typed`, the shortest first.

    Each has a `name` and a `kind`: person or team. Raises Missing.
    """
    room = rooms.find(by, id)
    check(by, SEE, room)
    typed = typed.replace("\x00", "")[: markdown.NAME_MOST]
    people = readers(room).filter(username__istartswith=typed).order_by("username")
    teams = teams_in(room).filter(name__istartswith=typed).order_by("name")
    found = [{"name": name, "kind": "person"} for name in people.values_list("username", flat=True)[:SUGGESTED]]
    found += [{"name": name, "kind": "team"} for name in teams.values_list("name", flat=True)[:SUGGESTED]]
    return sorted(found, key=lambda one: (len(one["name"]), one["name"]))[:SUGGESTED]
