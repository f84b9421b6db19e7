"""Closing open sockets whose access ended: after signing out, a disabled user, a revoked token, a changed dashboard."""

from typing import TYPE_CHECKING

import structlog
from django.db import Error as DatabaseError

from consumers.access import Decision, judge
from metrics.live.bus import Recheck

if TYPE_CHECKING:
    from consumers.hub import Hub

log = structlog.get_logger(__name__)


async def recheck(hub: "Hub", doubt: Recheck) -> None:
    """Look again at the sockets that `doubt` concerns, and close those that may not stay.

    Sockets with the same credential on the same dashboard are one question to the database. When it does not
    answer, everyone stays: the next round asks again.
    """
    concerned = [
        (stream, viewer) for stream, viewer in hub.viewers() if _concerns(doubt, viewer.who, stream.variant.slug)
    ]
    questions = {(viewer.credential, stream.variant.slug) for stream, viewer in concerned}
    try:
        answers = await judge(questions)
    except DatabaseError as error:
        log.warning("access was not looked at again", error=str(error))
        return
    for stream, viewer in concerned:
        code = answers[viewer.credential, stream.variant.slug].code
        if code is not None:
            hub.close(stream, viewer, code)


def _concerns(doubt: Recheck, who: Decision, slug: str) -> bool:
    if doubt["user"] is not None and who.holder != f"user:{doubt['user']}":
        return False
    return doubt["slug"] in (None, slug)
