"""Notifications: telling people something."""

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from metrics.access.sharing import Text
from metrics.actions import notifications as actions
from metrics.api.body import MAKING, Body
from metrics.api.tokens import edit, principal_of

router = Router(tags=["talk"], auth=edit)


class NotificationIn(Body):
    to: Text = Field(max_length=200, description="user:NAME, team:NAME or everyone.")
    text: Text = Field(min_length=1, max_length=actions.TEXT_MOST)
    kind: Text = Field("message", max_length=30, description="A word of yours, to filter by.")
    about: Text = Field("", max_length=actions.ABOUT_MOST, description="A path here that it is about: /d/shop/.")
    key: Text = Field("", max_length=actions.KEY_MOST, description="Nobody is told twice with the same.")


class Notified(Schema):
    notified: int


@router.post("notifications", response={202: Notified, **MAKING})
def notify(request: HttpRequest, body: NotificationIn) -> Status[dict[str, Any]]:
    """Tell people something: in every tab they have open, and kept until they read it."""
    told = actions.notify(principal_of(request), body.to, body.kind, body.text, body.about, body.key)
    return Status(202, {"notified": told})
