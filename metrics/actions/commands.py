"""Commands in the room of an incident, such as `/ack for 2h on it` and `/resolve`: they act at once.

A command is a message as any other, and the action that it asks for happens in the same transaction, by its writer. A
refused command is not said in the room, and only its writer sees why.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from metrics.access.policy import ACKNOWLEDGE, may
from metrics.access.principal import Principal
from metrics.actions import drawings, incidents, messages, rooms
from metrics.actions.alerts import SEVERITIES
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.messages import Draft
from metrics.every import PERIOD, seconds
from metrics.models import Incident, Message, Room

HELP = "/help"
WORD = re.compile(r"/[a-z]+")
LONGEST_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it `does`, as the list says it, the rest of its line, and the action with that rest."""

    usage: str
    does: str
    run: Callable[[Principal, Incident, str], Any]


def say(by: Principal, room: int, text: str, client_id: str = "", **more: Any) -> Message:
    """Say something, or do what it commands. Raises Forbidden, Missing or Invalid."""
    (outcome,) = say_all([Draft(by, room, text, client_id, **more)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def say_all(drafts: Sequence[Draft]) -> list[Message | Exception]:
    """Say or do each of `drafts`; return what was said, or why it is refused: Forbidden, Missing or Invalid.

    Commands have a transaction each: they hold an incident before the head of its room's log, as all that change one.
    """
    maybe = {draft.room for draft in drafts if _word(draft.text)}
    places = Room.objects.filter(incident__isnull=False).in_bulk(maybe) if maybe else {}
    asked = [index for index, draft in enumerate(drafts) if draft.room in places and _is_command(draft.text)]
    said = [index for index in range(len(drafts)) if index not in asked]
    outcomes = dict(zip(said, messages.say_all([drafts[index] for index in said]), strict=True)) if said else {}
    outcomes.update({index: _do(drafts[index], places[drafts[index].room]) for index in asked})
    return [outcomes[index] for index in range(len(drafts))]


def listed(by: Principal, room: Room) -> list[dict[str, str]]:
    """Return the commands that `by` can write in `room`: each with its `name`, `usage`, and what it `does`."""
    shown = {"name": drawings.COMMAND, "usage": "[6h] [name]", "does": "keeps a chart as it is now"}
    if room.incident is None:
        return [shown] if room.dashboard is not None else []
    does = COMMANDS.items() if may(by, ACKNOWLEDGE, room.incident) else ()
    found = [{"name": name, "usage": one.usage, "does": one.does} for name, one in does]
    return [*found, shown, {"name": HELP, "usage": "", "does": "lists the commands"}]


def _do(draft: Draft, room: Room) -> Message | Exception:
    try:
        return _done(draft, room)
    except IntegrityError:  # the same message came twice at once, on another process: it is found now
        return _done(draft, room)


def _done(draft: Draft, room: Room) -> Message | Exception:
    word, _, rest = draft.text.strip().partition(" ")
    try:
        with transaction.atomic():
            incident = Incident.objects.select_for_update(no_key=True).filter(pk=room.incident_id or 0).first()
            messages.check_draft(draft, rooms.with_access([room.pk]).get(room.pk))
            command = COMMANDS.get(word)
            if command is None or incident is None:
                raise Invalid("text", _help(draft.by, room, word))
            if draft.client_id:
                earlier = room.messages.filter(client_id=draft.client_id, by=draft.by.name).first()
                if earlier is not None:
                    return earlier
            (outcome,) = messages.say_all([replace(draft, is_command=True)])
            if isinstance(outcome, Exception):
                raise outcome
            command.run(draft.by, incident, rest.strip())
            return outcome
    except (Forbidden, Invalid, Missing) as problem:
        return problem


def _help(by: Principal, room: Room, word: str) -> str:
    known = "; ".join(" ".join(filter(None, [one["name"], one["usage"]])) for one in listed(by, room))
    return (
        f"text: the commands here are {known}."
        if word == HELP
        else f"text: there is no command {word} here; {HELP} lists them."
    )


def _word(text: str) -> str:
    """Return the word that `text` begins with, if that can be a command."""
    first = text.split(maxsplit=1)[:1]
    return first[0] if first and WORD.fullmatch(first[0]) else ""


def _is_command(text: str) -> bool:
    return bool(_word(text)) and not drawings.is_asked(text)


def _acknowledge(by: Principal, incident: Incident, rest: str) -> None:
    words = rest.split()
    until = None
    if len(words) > 1 and words[0] == "for" and PERIOD.fullmatch(words[1]):
        lasts_s = _seconds(words[1])
        until, rest = timezone.now() + timedelta(seconds=lasts_s), " ".join(words[2:])
    incidents.acknowledge(by, incident.pk, rest, until)


def _seconds(period: str) -> int:
    try:
        lasts_s = seconds(period)
    except ValueError as problem:
        raise Invalid("text", f"text: {problem}") from None
    if lasts_s > LONGEST_S:
        raise Invalid("text", "text: nobody takes it for more than 30d.")
    return lasts_s


def _hand_over(by: Principal, incident: Incident, rest: str) -> None:
    name, _, reason = rest.partition(" ")
    if not name.lstrip("@"):
        raise Invalid("text", "text: say to whom, such as /handover @bob.")
    incidents.hand_over(by, incident.pk, name.removeprefix("@"), reason)


def _set_severity(by: Principal, incident: Incident, rest: str) -> None:
    if rest not in SEVERITIES:
        raise Invalid("text", f"text: a severity is {', '.join(SEVERITIES[:-1])} or {SEVERITIES[-1]}.")
    incidents.change(by, incident.pk, {"severity": rest})


def _tick(by: Principal, incident: Incident, rest: str) -> None:
    if not (rest.isascii() and rest.isdecimal() and 1 <= int(rest[:9]) <= len(incident.checklist)):
        count = len(incident.checklist)
        said = f"one of its {count} items, from 1" if count else "an item, and it has none"
        raise Invalid("text", f"text: /done takes the number of {said}.")
    incidents.tick(by, incident.pk, int(rest) - 1)


COMMANDS: Mapping[str, Command] = {
    "/ack": Command("[for 2h] [reason]", "takes it", _acknowledge),
    "/resolve": Command("[reason]", "ends it", lambda by, one, rest: incidents.resolve(by, one.pk, rest)),
    "/reopen": Command("[reason]", "opens it again", lambda by, one, rest: incidents.reopen(by, one.pk, rest)),
    "/handover": Command("@name [reason]", "gives it to somebody", _hand_over),
    "/severity": Command("critical", "says how bad it is", _set_severity),
    "/done": Command("2", "ticks an item of the checklist", _tick),
}
