"""Search in what was said, and rooms as files."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from metrics.actions import messages as said
from metrics.actions import room_export, rooms, search
from metrics.api.body import ONE
from metrics.api.rooms import Id, MessageOut
from metrics.api.tokens import principal_of, read
from metrics.streaming import streamed

router = Router(tags=["talk"], auth=read)

Words = Annotated[str, Query(description="Words that a message has all of, in any case.", max_length=search.QUERY_MOST)]
InRoom = Annotated[int, Query(description="The id of the room to search; all without it.", ge=1, le=2**63 - 1)]
Before = Annotated[int, Query(description="`next` of the page before.", ge=1, le=2**63 - 1)]
Format = Annotated[Literal["html", "markdown"], Query(description="One HTML file, or Markdown.")]
Since = Annotated[
    str, Query(alias="from", description="A date or time (ISO 8601); in the server's zone if it has none.")
]
Until = Annotated[str, Query(description="A date, all of which is in it, or a time, which is not.")]

_TEXT = {"schema": {"type": "string"}}
AS_FILE = {"responses": {200: {"description": "OK", "content": {"text/html": _TEXT, "text/markdown": _TEXT}}}}


class Found(MessageOut):
    """A message that was found; `room` is the id of its room."""

    room: int
    room_title: str


class FoundList(Schema):
    messages: list[Found]
    next: int | None = Field(
        description="Send it as `before` for older ones; null if nothing older is there to look through."
    )


@router.get("messages", response={200: FoundList, **ONE}, exclude_unset=True)
def search_messages(request: HttpRequest, q: Words, room: InRoom | None = None, before: Before | None = None) -> Any:
    """The newest messages that have all words of `q`, in the rooms that the token may see; at most 50."""
    by = principal_of(request)
    found = search.search(by, q, room, before)
    more = [{"room": one.room_id, "room_title": rooms.title_for(by, one.room)} for one in found.messages]
    return {
        "messages": [{**said.document(one), **about} for one, about in zip(found.messages, more, strict=True)],
        "next": found.older,
    }


@router.get("rooms/{id}/export", response=ONE, openapi_extra=AS_FILE)
def export_room(
    request: HttpRequest, id: Id, format: Format = "markdown", since: Since = "", until: Until = ""
) -> StreamingHttpResponse:
    """A room, or a span of time in it, as one file."""
    origin = request.build_absolute_uri("/")[:-1]
    what = room_export.export(principal_of(request), id, format, since, until, origin)
    return streamed(request, what.parts(), what.type, what.name)
