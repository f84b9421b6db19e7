"""Managing channels to people outside, and what was sent through them."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status

from metrics.access.policy import visible
from metrics.actions import channels as actions
from metrics.actions import credentials, deliveries
from metrics.api.body import ASKING, CHANGING, MAKING, ONE, READING, TAKING_BACK, Body, Text
from metrics.api.tokens import edit, principal_of
from metrics.models import Channel, Delivery

router = Router(tags=["channels"], auth=edit)

Id = Annotated[int, Path(description="The channel's id.", ge=1, le=2**63 - 1)]
DeliveryId = Annotated[int, Path(description="The delivery's id.", ge=1, le=2**63 - 1)]
LISTED, LISTED_MOST = 50, 500
DIGEST = "How it hears of what can wait, as the docs on channels describe it; without it, at once."


class ChannelIn(Body):
    kind: Text = Field(description="One of those that channel-kinds lists.")
    name: Text = Field(max_length=100)
    team: Text = Field("", description="The team that it reaches; empty for one of the installation.")
    config: dict[str, Any] = Field(description="The fields that the kind needs; the docs on channels describe them.")
    enabled: bool = True
    fallback: bool = Field(False, description="Gets only what another channel of its team could not deliver.")
    position: int | None = Field(None, ge=0, le=1000, description="Its place in its team; else the last.")
    digest: dict[str, Any] | None = Field(None, description=DIGEST)


class ChannelChanges(Body):
    """Some of the fields of a channel; those that are left out stay as they are."""

    name: Text | None = Field(None, max_length=100)
    config: dict[str, Any] | None = Field(
        None, description="The whole config; credentials that it does not name stay, empty ones are removed."
    )
    enabled: bool | None = None
    fallback: bool | None = None
    position: int | None = Field(None, ge=0, le=1000)
    digest: dict[str, Any] | None = Field(None, description=f"{DIGEST} An empty one ends it.")


class ChannelOut(Schema):
    id: int
    kind: str
    name: str
    team: str
    config: dict[str, Any] = Field(description="Without its credentials.")
    credentials: list[str] = Field(description="Names of the credentials that are set.")
    enabled: bool
    fallback: bool
    position: int
    digest: dict[str, Any] | None


class ChannelList(Schema):
    channels: list[ChannelOut]


class ChannelKindOut(Schema):
    """A kind of channel, and what its config is, as a JSON schema."""

    kind: str
    group: str
    about: str
    config: dict[str, Any] = Field(alias="schema")


class ChannelKinds(Schema):
    kinds: list[ChannelKindOut]


class DeliveryOut(Schema):
    id: int
    channel: int
    key: str
    conversation: str
    state: str = Field(description="waiting, sending, sent, failed, replaced, held or gathered.")
    attempts: int
    created_at: datetime
    next_at: datetime | None = Field(description="When it is tried next, if it waits, or when its digest is.")
    sent_at: datetime | None
    error: str
    receipt: dict[str, Any] = Field(description="The answer of the other side.")
    message: dict[str, Any]


class DeliveryList(Schema):
    deliveries: list[DeliveryOut]


@router.get("channel-kinds", response={200: ChannelKinds, **READING}, by_alias=True)
def list_channel_kinds(request: HttpRequest) -> dict[str, Any]:
    """The kinds that a channel may be of."""
    return {"kinds": actions.about_all()}


@router.post("channels", response={201: ChannelOut, **MAKING})
def create_channel(request: HttpRequest, body: ChannelIn) -> Status[dict[str, Any]]:
    """Make a channel."""
    fields = body.dict(include={"enabled", "fallback", "position", "digest"})
    made = actions.create(principal_of(request), body.kind, body.name, body.config, body.team, **fields)
    return Status(201, _out(made))


@router.get("channels", response={200: ChannelList, **READING})
def list_channels(request: HttpRequest) -> dict[str, Any]:
    """The channels that the token may see, those of the installation first."""
    found = visible(principal_of(request), Channel).select_related("team").order_by("team__name", "position", "pk")
    return {"channels": [_out(one) for one in found]}


@router.get("channels/{id}", response={200: ChannelOut, **ONE})
def get_channel(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One channel."""
    return _out(actions.find(principal_of(request), id))


@router.patch("channels/{id}", response={200: ChannelOut, **CHANGING})
def change_channel(request: HttpRequest, id: Id, body: ChannelChanges) -> dict[str, Any]:
    """Change what is given; the rest stays."""
    changes = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    return _out(actions.change(principal_of(request), id, changes))


@router.delete("channels/{id}", response={204: None, **ONE})
def delete_channel(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a channel, with what was sent through it and what still waits."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


@router.post("channels/{id}/test", response={202: DeliveryOut, **TAKING_BACK})
def test_channel(request: HttpRequest, id: Id) -> Status[dict[str, Any]]:
    """Have a test go through a channel; its delivery says soon what came of it."""
    return Status(202, _delivery(actions.test(principal_of(request), id)))


@router.get("deliveries", response={200: DeliveryList, **ASKING})
def list_deliveries(
    request: HttpRequest,
    channel: Annotated[int | None, Query(description="Of this channel alone.", ge=1, le=2**63 - 1)] = None,
    before: Annotated[int | None, Query(description="Older than the delivery of this id.", ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=LISTED_MOST)] = LISTED,
) -> dict[str, Any]:
    """Messages that were sent, and those that wait, the newest first."""
    found = visible(principal_of(request), Delivery)
    if channel is not None:
        found = found.filter(channel=channel)
    if before is not None:
        found = found.filter(pk__lt=before)
    return {"deliveries": [_delivery(one) for one in found.order_by("-pk")[:limit]]}


@router.get("deliveries/{id}", response={200: DeliveryOut, **ONE})
def get_delivery(request: HttpRequest, id: DeliveryId) -> dict[str, Any]:
    """One delivery."""
    return _delivery(deliveries.find(principal_of(request), id))


def _out(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.pk,
        "kind": channel.kind,
        "name": channel.name,
        "team": channel.team.name if channel.team else "",
        "config": channel.config,
        "credentials": credentials.kept(channel.secrets),
        "enabled": channel.enabled,
        "fallback": channel.fallback,
        "position": channel.position,
        "digest": channel.digest if isinstance(channel.digest, dict) else None,
    }


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "channel": row.channel_id,
        "key": row.key,
        "conversation": row.conversation,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "next_at": row.next_at if row.state in (Delivery.WAITING, Delivery.HELD) else None,
        "sent_at": row.sent_at,
        "error": row.error,
        "receipt": row.receipt,
        "message": row.document,
    }
