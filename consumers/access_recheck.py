"""Open sockets whose access ended or changed: signing out, another role, a revoked token, a changed dashboard."""

from collections.abc import Iterable

import structlog
from django.db import Error as DatabaseError

from consumers.access import Decision, Question, judge
from consumers.log_stream import LogStream
from consumers.stream import Stream
from consumers.viewer import Viewer
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
        if decision.code is not None:
            found.append((stream, viewer, decision.code))
        else:
            viewer.who = viewer.who._replace(by=decision.by, name=decision.name)
    return found


def _question(stream: AnyStream, viewer: Viewer) -> Question:
    return Question(viewer.credential, stream.topic.kind, stream.topic.id)


def _concerns(doubt: Recheck, who: Decision, topic: Topic) -> bool:
    if doubt["user"] is not None and who.holder != f"user:{doubt['user']}":
        return False
    dashboard = doubt["dashboard"]
    # A room may be that of the dashboard.
    return dashboard is None or topic.kind == ROOM or (topic.is_variant and topic.id == dashboard)
