"""The timeline of an incident: what happens is said in its room, in the transaction in which it happens."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from metrics.access.principal import SYSTEM, Principal
from metrics.actions import logs, messages, rooms
from metrics.live.topic import room as topic_of
from metrics.models import Incident, Room
from metrics.models.log import sender

LINES_MOST = 10


class Line(NamedTuple):
    """A text for the room of an incident, said only once if it has a `client_id`. `drawing` is HTML beside it."""

    incident: Incident
    text: str
    client_id: str = ""
    drawing: str = ""


def say(incident: Incident, text: str, client_id: str = "") -> None:
    """Say one line."""
    say_all([Line(incident, text, client_id)])


def say_all(lines: Sequence[Line]) -> None:
    """Say some lines, in their order. Nothing is said in a room that somebody closed."""
    places = rooms.of_incidents([one.incident for one in lines])
    drafts = [
        messages.Draft(SYSTEM, room.pk, one.text[: messages.TEXT_MOST], one.client_id, drawing=one.drawing)
        for one in lines
        if (room := places[one.incident.pk]).closed_at is None
    ]
    for outcome in messages.say_all(drafts) if drafts else ():
        if isinstance(outcome, Exception):
            raise outcome


def hold(incidents: Iterable[Incident]) -> None:
    """Lock the logs of the rooms of `incidents`, which comes before those of people who are told."""
    found = Room.objects.filter(incident__in=[one.pk for one in incidents]).values_list("pk", flat=True)
    logs.hold([topic_of(pk) for pk in found])


def notified(incident: Incident, counts: Mapping[str, int]) -> list[Line]:
    """Return who was told in the page of an incident first: how many people each name in `counts` stands for."""
    those = [f"{to.partition(':')[2] or to} ({_people(count)})" for to, count in counts.items() if count]
    text = f"Told in the page: {', '.join(those)}."
    return [Line(incident, text, f"told:{incident.pk}:{incident.opened_at:%s}")] if those else []


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def moved(incident: Incident, lines: Sequence[str], client_id: str, drawing: str = "") -> Line:
    """Return what alerts did, a line of text each; of many the first ones."""
    more = len(lines) - LINES_MOST
    shown = [*lines[:LINES_MOST], f"And {more} more."] if more > 0 else list(lines)
    return Line(incident, "\n".join(f"- {line}" for line in shown), client_id, drawing)


def acknowledged(by: Principal, incident: Incident, before: str) -> None:
    """Say that `by` has taken it, from the principal named `before`, if it was somebody's."""
    until = incident.acknowledged_until
    words = f"{sender(by.name)} took it{f' over from {sender(before)}' if before else ''}"
    say(incident, f"{words}{f' until {until:%Y-%m-%d %H:%M} UTC' if until else ''}{_because(incident.reason)}")


def handed_over(by: Principal, incident: Incident) -> None:
    say(incident, f"{sender(by.name)} handed it over to {_person(incident)}{_because(incident.reason)}")


def given_back(by: Principal, incident: Incident, whose: str) -> None:
    said = f"The time of {whose} is over" if by is SYSTEM else f"{sender(by.name)} gave it back"
    say(incident, f"{said}: it is for anybody again.")


def resolved(by: Principal, incident: Incident, reason: str, *, too: bool = False) -> None:
    """Say that `by` ended it; `too`, that they wanted to just after somebody else did."""
    say(incident, f"{sender(by.name)} resolved it{', too' if too else ''}{_because(reason)}")


def reopened(by: Principal, incident: Incident, reason: str, *, too: bool = False) -> None:
    """Say that `by` opened it again; `too` as in `resolved`."""
    say(incident, f"{sender(by.name)} opened it again{', too' if too else ''}{_because(reason)}")


def graded(by: Principal, incident: Incident) -> None:
    say(incident, f"{sender(by.name)} set its severity to {incident.severity}.")


def ticked(by: Principal, incident: Incident, text: str, *, done: bool) -> None:
    say(incident, f"{sender(by.name)} {'did' if done else 'has not done'}: {text}")


def _person(incident: Incident) -> str:
    """Return the one who has it as a mention: who is told by it."""
    name = sender(incident.acknowledged_by)
    return f"@{name}" if incident.acknowledged_by.startswith("user ") else name


def _because(reason: str) -> str:
    return f": {reason}" if reason else "."
