"""Rooms and their messages."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access, Text
from metrics.actions import commands, files, message_changes
from metrics.actions import messages as said
from metrics.actions import rooms as actions
from metrics.api.body import CHANGING, MAKING, ONE, READING, TAKING_BACK, TRYING, Body
from metrics.api.rates import writer_of
from metrics.api.tokens import edit, principal_of, read
from metrics.emoji import MOST
from metrics.models import Room

router = Router(tags=["talk"], auth=read)

Id = Annotated[int, Path(description="The room's id.", ge=1, le=2**63 - 1)]
Before = Annotated[int, Query(description="The number of a message: those before it.", ge=1, le=2**63 - 1)]
After = Annotated[int, Query(description="The number of a message: those after it.", ge=0, le=2**63 - 1)]
Number = Annotated[int, Path(description="The message's number.", ge=1, le=2**63 - 1)]
Emoji = Annotated[str, Path(description="One emoji.", max_length=MOST)]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=200)]


class RoomIn(Body):
    title: Text = Field(min_length=1, max_length=actions.TITLE_MOST)
    access: Access = Field(
        Access(), description="The people that it is for; with people and without it, for them alone."
    )
    people: list[Text] = Field([], max_length=1000, description="Names of users, whom it is for as well.")


class RoomChanges(Body):
    """Changes of a room; what is left out stays."""

    title: Text = Field("", max_length=actions.TITLE_MOST)
    access: Access = Field(Access(), description="The teams it is for, or everyone.")
    people: list[Text] = Field([], max_length=1000, description="Names of users, whom it is for as well.")
    keep_days: int | None = Field(None, description="Days after which messages are removed; null keeps all.")
    closed: bool = Field(False, description="Whether nobody writes in it any more.")


class RoomOut(Schema):
    """A room; one of a dashboard has its people, and a direct conversation two."""

    id: int
    title: str
    access: Access
    people: list[str] = Field(description="Names of users.")
    dashboard: str | None = Field(description="The slug of the dashboard whose room it is.")
    incident: int | None = Field(description="The incident whose timeline it is.")
    keep_days: int | None = Field(description="Days after which messages are removed; null keeps all.")
    closed_at: float | None = Field(description="Unix seconds; null while people may write in it.")


class RoomList(Schema):
    rooms: list[RoomOut]


class MessageIn(Body):
    text: Text = Field("", max_length=said.TEXT_MOST, description="Without files it has one character or more.")
    client_id: Text = Field(
        "", max_length=said.CLIENT_ID_MOST, description="Your own name for it: sent again, it is the same message."
    )
    reply_to: int = Field(0, ge=0, le=2**63 - 1, description="The number of the message that it answers; 0 for none.")
    files: list[Text] = Field([], max_length=files.MOST, description="The keys of files that were uploaded for it.")


class MessageChanges(Body):
    text: Text = Field(min_length=1, max_length=said.TEXT_MOST)


class MessageId(Schema):
    id: int


class MessageOut(Schema):
    """A message; `id` is that of the entry it came as, times are Unix seconds. Empty fields are left out."""

    id: int
    text: str
    by: str
    at: float
    face: str = Field("", description="The emoji of the token that wrote it.")
    client_id: str = ""
    edited_at: float | None = None
    deleted: bool = False
    reply_to: int | None = Field(None, description="The number of the message that it answers.")
    files: list[dict[str, Any]] = Field([], description="Each with key, name, type, size, url, and its pixels.")
    mentions: list[str] = Field([], description="user:NAME and team:NAME.")
    moment: dict[str, Any] | None = Field(None, description="The dashboard that its author saw beside it.")
    reactions: dict[str, list[str]] = Field({}, description="The people who reacted, by the emoji.")


class MessageList(Schema):
    messages: list[MessageOut]


@router.get("rooms", response={200: RoomList, **READING})
def list_rooms(request: HttpRequest) -> dict[str, Any]:
    """The rooms that the token may see, by title."""
    by = principal_of(request)
    rows = visible(by, Room).select_related("dashboard", "incident").prefetch_related("teams", "people")
    return {"rooms": [_out(by, one) for one in rows]}


@router.post("rooms", response={201: RoomOut, **MAKING}, auth=edit)
def create_room(request: HttpRequest, body: RoomIn) -> Status[dict[str, Any]]:
    """Open a room."""
    by = principal_of(request)
    access = body.access.model_dump() if "access" in body.model_fields_set else None
    return Status(201, _out(by, actions.create(by, body.title, access, body.people)))


@router.get("rooms/{id}", response={200: RoomOut, **ONE})
def get_room(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One room."""
    by = principal_of(request)
    return _out(by, actions.find(by, id))


@router.patch("rooms/{id}", response={200: RoomOut, **CHANGING}, auth=edit)
def change_room(request: HttpRequest, id: Id, body: RoomChanges) -> dict[str, Any]:
    """Change a room, close it, or open it again."""
    by = principal_of(request)
    return _out(by, actions.change(by, id, body.model_dump(exclude_unset=True)))


@router.delete("rooms/{id}", response={204: None, **ONE}, auth=edit)
def delete_room(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a room with all that was said in it."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


@router.get("rooms/{id}/messages", response={200: MessageList, **ONE}, exclude_unset=True)
def list_messages(
    request: HttpRequest, id: Id, before: Before | None = None, after: After | None = None, limit: Limit = said.PAGE
) -> Any:
    """The newest messages, or those before or after one of them, in order."""
    found = said.history(principal_of(request), id, before, limit, after=after)
    return {"messages": [said.document(one) for one in found]}


@router.post("rooms/{id}/messages", response={201: MessageId, **TRYING}, auth=edit)
def say(request: HttpRequest, id: Id, body: MessageIn) -> Status[dict[str, Any]]:
    """Write in a room. The same `client_id` again is answered with the message of that time."""
    made = commands.say(
        writer_of(request), id, body.text, body.client_id, reply_to=body.reply_to, files=tuple(body.files)
    )
    return Status(201, {"id": made.number})


@router.get("rooms/{id}/messages/{number}", response={200: MessageOut, **ONE}, exclude_unset=True)
def get_message(request: HttpRequest, id: Id, number: Number) -> dict[str, Any]:
    """One message."""
    return said.document(said.find(principal_of(request), id, number))


@router.patch("rooms/{id}/messages/{number}", response={200: MessageOut, **TRYING}, auth=edit, exclude_unset=True)
def change_message(request: HttpRequest, id: Id, number: Number, body: MessageChanges) -> dict[str, Any]:
    """Give a message of one's own another text."""
    return said.document(message_changes.edit(writer_of(request), id, number, body.text))


@router.delete("rooms/{id}/messages/{number}", response={204: None, **TAKING_BACK}, auth=edit)
def delete_message(request: HttpRequest, id: Id, number: Number) -> Status[None]:
    """Take back a message of one's own; whoever may change the room, any."""
    message_changes.delete(writer_of(request), id, number)
    return Status(204, None)


@router.put(
    "rooms/{id}/messages/{number}/reactions/{emoji}",
    response={200: MessageOut, **TAKING_BACK},
    auth=edit,
    exclude_unset=True,
)
def add_reaction(request: HttpRequest, id: Id, number: Number, emoji: Emoji) -> dict[str, Any]:
    """React to a message with an emoji."""
    return said.document(message_changes.react(writer_of(request), id, number, emoji, on=True))


@router.delete("rooms/{id}/messages/{number}/reactions/{emoji}", response={204: None, **TAKING_BACK}, auth=edit)
def remove_reaction(request: HttpRequest, id: Id, number: Number, emoji: Emoji) -> Status[None]:
    """Take away one's own reaction."""
    message_changes.react(writer_of(request), id, number, emoji, on=False)
    return Status(204, None)


def _out(by: Principal, room: Room) -> dict[str, Any]:
    access = Access(everyone=room.for_everyone, teams=[team.name for team in room.teams.all()])
    return {
        "id": room.pk,
        "title": actions.title_for(by, room),
        "access": access.model_dump(),
        "people": sorted(user.get_username() for user in room.people.all()),
        "dashboard": room.dashboard and room.dashboard.slug,
        "incident": room.incident_id,
        "keep_days": room.keep_days,
        "closed_at": room.closed_at and room.closed_at.timestamp(),
    }
