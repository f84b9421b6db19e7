"""Open sockets whose access ended or changed: signing out, another role, a revoked token, a changed dashboard."""

from collections.abc import Iterable

import structlog
from django.db import Error as DatabaseError

from consumers.access import Decision, Question, judge, over_code
from consumers.codes import NO_SUCH_THING
from consumers.log_stream import LogStream
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.actions.variables import asked_as
from metrics.live.bus import Recheck
from metrics.live.topic import ROOM, Topic

AnyStream = Stream | LogStream

log = structlog.get_logger(__name__)


async def refused(viewers: Iterable[tuple[AnyStream, Viewer]], doubt: Recheck) -> list[tuple[AnyStream, Viewer, int]]:
    """Return those of `viewers` that `doubt` concerns and that may not stay, each with the code to close it with.

    What the others send is judged from now on by the role and the teams that they have now. Sockets with the same
    credential on the same thing are one question to the database. When it does not answer, everyone stays: the next
    round asks again.
    """
    concerned = [(stream, viewer) for stream, viewer in viewers if _concerns(doubt, viewer.who, stream.topic)]
    questions = {(stream, viewer): _question(stream, viewer) for stream, viewer in concerned}
    try:
        answers = await judge(set(questions.values()))
    except DatabaseError as error:
        log.warning("access was not looked at again", error=str(error))
        return []
    found = []
    for (stream, viewer), question in questions.items():
        decision = answers[question]
        if decision.code is None and decision.by.shown is not None and decision.chosen != stream.topic.chosen:
            decision = decision._replace(code=NO_SUCH_THING)  # other values are the default now
        if decision.code is not None:
            found.append((stream, viewer, decision.code))
        else:
            viewer.who = viewer.who._replace(by=decision.by, name=decision.name, until=decision.until)
    return found


def expired(viewers: Iterable[tuple[AnyStream, Viewer]], now: float) -> list[tuple[AnyStream, Viewer, int]]:
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
