"""Notifications: telling people something, and for those who are signed in, what they were told."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Text
from metrics.actions import notifications as actions
from metrics.actions.errors import Invalid
from metrics.api.body import ASKING, MAKING, TELLING, Body
from metrics.api.rates import writer_of
from metrics.api.sessions import signed_in
from metrics.api.tokens import edit, principal_of
from metrics.models import Notification, Token

router = Router(tags=["talk"], auth=edit)

Before = Annotated[int | None, Query(description="An id: those before it.", ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=200)]
Kind = Annotated[
    str, Query(description="Only those of this kind.", max_length=actions.KIND_MOST, pattern=r"^[^\x00]*$")
]


class NotificationIn(Body):
    to: Text = Field(max_length=200, description="user:NAME, team:NAME, watchers:NOUN:ID or everyone.")
    text: Text = Field(min_length=1, max_length=actions.TEXT_MOST)
    kind: Text = Field(
        "message", min_length=1, max_length=actions.KIND_MOST, description="A word of yours, to filter by."
    )
    about: Text = Field("", max_length=actions.ABOUT_MOST, description="A path here that it is about: /d/shop/.")
    key: Text = Field("", max_length=actions.KEY_MOST, description="Nobody is told twice with the same.")


class Notified(Schema):
    notified: int


class NotificationOut(Schema):
    """A notification; `id` counts from 1 for each person, or for a token in all; `at` is Unix seconds."""

    id: int
    to: str
    kind: str
    text: str
    about: str
    by: str
    at: float
    read: bool


class NotificationList(Schema):
    notifications: list[NotificationOut]


class ReadIn(Body):
    id: int | None = Field(None, ge=1, le=2**63 - 1, description="The notification that was read; none for all.")
    kind: Text = Field("", max_length=actions.KIND_MOST, description="Only those of this kind.")


@router.get("notifications", response={200: NotificationList, **ASKING}, auth=[edit, signed_in])
def list_notifications(
    request: HttpRequest,
    before: Before = None,
    limit: Limit = actions.SHOWN,
    kind: Kind = "",
) -> dict[str, Any]:
    """Notifications of the person who is signed in; or those that the token sent, and whether people read them."""
    by = _by(request)
    if by.kind == "user":
        found = actions.newest(by.pk or 0, before, limit, kind=kind)
        return {"notifications": [_out(one, one.number, by.name.removeprefix("user ")) for one in found]}
    return {"notifications": [_out(one, one.pk, one.user.username) for one in actions.sent(by, before, limit, kind)]}


@router.post("notifications/read", response={204: None, **MAKING}, auth=[edit, signed_in])
def mark_read(request: HttpRequest, body: ReadIn) -> Status[None]:
    """Note that the person who is signed in read one, or all, or all of a kind."""
    by = _by(request)
    if by.kind != "user":
        raise Invalid(
            "Authorization", "Authorization: a token was told nothing that it could read; people sign in for this."
        )
    actions.mark_read(by.pk or 0, body.id, body.kind)
    return Status(204, None)


def _by(request: HttpRequest) -> Principal:
    return principal_of(request) if isinstance(getattr(request, "auth", None), Token) else of_visitor(request)


def _out(notification: Notification, id: int, to: str) -> dict[str, Any]:
    return {
        "id": id,
        "to": to,
        "kind": notification.kind,
        "text": notification.text,
        "about": notification.about,
        "by": notification.sender,
        "at": notification.at.timestamp(),
        "read": notification.read_at is not None,
    }


@router.post("notifications", response={202: Notified, **TELLING})
def notify(request: HttpRequest, body: NotificationIn) -> Status[dict[str, Any]]:
    """Tell people something: in every tab they have open, and kept until they read it."""
    told = actions.notify(writer_of(request), body.to, body.kind, body.text, body.about, body.key)
    return Status(202, {"notified": told})
