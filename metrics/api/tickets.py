"""Tickets for sockets."""

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError
from redis import RedisError

from metrics.access import tickets
from metrics.access.sharing import Text
from metrics.actions.errors import Invalid
from metrics.api.body import MAKING, Body
from metrics.api.tokens import read, token_of

router = Router(tags=["talk"], auth=read)


class TicketIn(Body):
    path: Text = Field(max_length=tickets.PATH_MOST, description="The socket's path: /ws/rooms/1/.")


class TicketOut(Schema):
    ticket: str


@router.post("ws-ticket", response={201: TicketOut, **MAKING})
def make_ticket(request: HttpRequest, body: TicketIn) -> Status[dict[str, str]]:
    """Make a ticket that opens one socket, once, within 30 s: add `ticket=…` to its query."""
    if not body.path.startswith("/ws/"):
        raise Invalid("path", "path: it begins with /ws/, and has no query.")
    try:
        return Status(201, {"ticket": tickets.issue(token_of(request), body.path)})
    except RedisError:
        raise HttpError(503, "Redis does not answer; try again.") from None
