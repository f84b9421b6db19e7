"""Rooms and their messages."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status

from metrics.access.policy import visible
from metrics.access.sharing import Access, Text
from metrics.actions import messages as said
from metrics.actions import rooms as actions
from metrics.api.body import CHANGING, MAKING, ONE, READING, Body
from metrics.api.tokens import edit, principal_of, read
from metrics.models import Message, Room

router = Router(tags=["talk"], auth=read)

Id = Annotated[int, Path(description="The room's id.", ge=1, le=2**63 - 1)]
Before = Annotated[int, Query(description="The number of a message: those before it.", ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=200)]


class RoomIn(Body):
    title: Text = Field(min_length=1, max_length=actions.TITLE_MOST)
    access: Access = Field(Access(), description="The people it is for.")


class RoomChanges(Body):
    title: Text = Field(min_length=1, max_length=actions.TITLE_MOST)


class RoomOut(Schema):
    id: int
    title: str
    access: Access


class RoomList(Schema):
    rooms: list[RoomOut]


class MessageIn(Body):
    text: Text = Field(min_length=1, max_length=said.TEXT_MOST)
    client_id: Text = Field(
        "", max_length=said.CLIENT_ID_MOST, description="Your own name for it: sent again, it is the same message."
    )


class MessageId(Schema):
    id: int


class MessageOut(Schema):
    """A message; `id` counts from 1 in its room, `at` is Unix seconds."""

    id: int
    text: str
    by: str
    at: float


class MessageList(Schema):
    messages: list[MessageOut]


@router.get("rooms", response={200: RoomList, **READING})
def list_rooms(request: HttpRequest) -> dict[str, Any]:
    """The rooms that the token may see, by title."""
    return {"rooms": [_out(one) for one in visible(principal_of(request), Room).prefetch_related("teams")]}


@router.post("rooms", response={201: RoomOut, **MAKING}, auth=edit)
def create_room(request: HttpRequest, body: RoomIn) -> Status[dict[str, Any]]:
    """Open a room."""
    return Status(201, _out(actions.create(principal_of(request), body.title, body.access.model_dump())))


@router.get("rooms/{id}", response={200: RoomOut, **ONE})
def get_room(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One room."""
    return _out(actions.find(principal_of(request), id))


@router.patch("rooms/{id}", response={200: RoomOut, **CHANGING}, auth=edit)
def change_room(request: HttpRequest, id: Id, body: RoomChanges) -> dict[str, Any]:
    """Give it another title."""
    return _out(actions.change(principal_of(request), id, body.model_dump(exclude_unset=True)))


@router.delete("rooms/{id}", response={204: None, **ONE}, auth=edit)
def delete_room(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a room with all that was said in it."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


@router.get("rooms/{id}/messages", response={200: MessageList, **ONE})
def list_messages(request: HttpRequest, id: Id, before: Before | None = None, limit: Limit = said.PAGE) -> Any:
    """The newest messages, or those before one of them, in order."""
    return {"messages": [_message(one) for one in said.history(principal_of(request), id, before, limit)]}


@router.post("rooms/{id}/messages", response={201: MessageId, **CHANGING}, auth=edit)
def say(request: HttpRequest, id: Id, body: MessageIn) -> Status[dict[str, Any]]:
    """Write in a room. The same `client_id` again is answered with the message of that time."""
    return Status(201, {"id": said.say(principal_of(request), id, body.text, body.client_id).number})


def _out(room: Room) -> dict[str, Any]:
    access = Access(everyone=room.for_everyone, teams=[team.name for team in room.teams.all()])
    return {"id": room.pk, "title": room.title, "access": access.model_dump()}


def _message(message: Message) -> dict[str, Any]:
    return {"id": message.number, "text": message.text, "by": message.sender, "at": message.at.timestamp()}
