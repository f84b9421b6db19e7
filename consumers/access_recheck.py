"""Open sockets whose access ended or changed: signing out, another role, a revoked token, a changed dashboard."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import structlog
from django.db import Error as DatabaseError

from consumers.access import Decision, Question, judge, over_code
from consumers.codes import NO_SUCH_THING
from consumers.log_stream import LogStream
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.access.principal import alike
from metrics.actions.variables import asked_as
from metrics.live.bus import Recheck
from metrics.live.topic import ROOM, Topic

AT_ONCE = 250
"""Questions that are answered in one go: others want the processor, too."""
AnyStream = Stream | LogStream
Refusal = tuple[AnyStream, Viewer, int]

log = structlog.get_logger(__name__)


async def refused(viewers: Iterable[tuple[AnyStream, Viewer]], doubt: Recheck) -> AsyncIterator[Refusal]:
    """Yield those of `viewers` that `doubt` concerns and that may not stay, each with the code to close it with.

    From now on, messages of the others are judged by the role and the teams that they have now. Sockets with the same
    credential on the same thing are one question to the database. Those that it does not answer stay: the next round
    asks again.
    """
    asking: dict[Question, list[tuple[AnyStream, Viewer]]] = {}
    for stream, viewer in viewers:
        if _concerns(doubt, viewer.who, stream.topic):
            asking.setdefault(_question(stream, viewer), []).append((stream, viewer))
    questions = list(asking)
    for first in range(0, len(questions), AT_ONCE):
        try:
            answers = await judge(questions[first : first + AT_ONCE])
        except DatabaseError as error:
            log.warning("access was not looked at again", error=str(error))
            continue
        for question, decision in answers.items():
            for stream, viewer in asking[question]:
                if (code := _followed(decision, stream, viewer)) is not None:
                    yield stream, viewer, code


def _followed(decision: Decision, stream: AnyStream, viewer: Viewer) -> int | None:
    """Return the code to close with, or None if the viewer stays, with what is decided now."""
    if decision.code is not None:
        return decision.code
    if decision.by.shown is not None and decision.chosen != stream.topic.chosen:
        return NO_SUCH_THING  # other values are the default now
    if alike(decision.by) != alike(viewer.who.by):
        viewer.listed = None  # what it shows of the list of alerts is what it could see before
    by = replace(decision.by, address=viewer.who.by.address)
    viewer.who = viewer.who._replace(by=by, name=decision.name, until=decision.until)
    return None


def expired(viewers: Iterable[tuple[AnyStream, Viewer]], now: float) -> list[Refusal]:
    """Return those of `viewers` whose credential is expired at `now` (Unix seconds), each with the code for that."""
    return [(stream, viewer, over_code(viewer.who.by)) for stream, viewer in viewers if viewer.who.until <= now]


def _question(stream: AnyStream, viewer: Viewer) -> Question:
    question = Question(viewer.credential, stream.topic.kind, stream.topic.id)
    if viewer.who.by.shown is None:
        return question
    asked = tuple((name, value) for name, values in asked_as(stream.topic.chosen).items() for value in values)
    return question._replace(asked=asked, range=stream.topic.range)


def _concerns(doubt: Recheck, who: Decision, topic: Topic) -> bool:
    if doubt["user"] is not None and who.holder != f"user:{doubt['user']}":
        return False
    dashboard = doubt["dashboard"]
    # A room may be that of the dashboard.
    return dashboard is None or topic.kind == ROOM or (topic.is_variant and topic.id == dashboard)
