"""Webhooks for alerts in a form of the sender's own: managing them, and taking what is sent to one."""

import time
from functools import partial
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema, Status
from ninja.errors import HttpError

from metrics.access.policy import visible
from metrics.access.principal import address_of
from metrics.access.sharing import Access
from metrics.actions import alert_webhooks as actions
from metrics.actions.teams import access_of
from metrics.api.alert_push import NotAlerts, take_as
from metrics.api.body import CHANGING, MAKING, ONE, READING, Body, Refused, Text
from metrics.api.tokens import edit, principal_of
from metrics.ingest.alert_mapping import parse
from metrics.models import AlertWebhook
from metrics.times import seconds_of

router = Router(tags=["alerts"], auth=edit)

Id = Annotated[int, Path(description="The webhook's id.", ge=1, le=2**63 - 1)]
Key = Annotated[str, Path(description="The key, which was shown once.", min_length=1, max_length=200)]
REFUSALS = frozenset({400, 403, 413, 415, 422, 429, 503})


class WebhookIn(Body):
    name: Text = Field(min_length=1, max_length=100)
    mapping: dict[str, Any] = Field(description="JMESPath expressions; the docs describe them.")
    access: Access | None = Field(None, description="The people whom its alerts are for.")


class WebhookChange(Body):
    name: Text | None = Field(None, min_length=1, max_length=100)
    mapping: dict[str, Any] | None = None


class WebhookOut(Schema):
    id: int
    name: str
    mapping: dict[str, Any]
    access: Access
    last_used_at: float | None


class WebhookMade(WebhookOut):
    """A webhook with its address, which has its key in it and is shown only now."""

    url: str


class WebhookList(Schema):
    webhooks: list[WebhookOut]


class Taken(Schema):
    accepted: int


@router.post("alert-webhooks", response={201: WebhookMade, **MAKING})
def create_alert_webhook(request: HttpRequest, body: WebhookIn) -> Status[dict[str, Any]]:
    """Make a webhook. Its `url` is shown only now: whoever knows it sends alerts, and can do nothing else."""
    made, key = actions.create(principal_of(request), body.name, body.mapping, body.access)
    return Status(201, {**_out(made), "url": request.build_absolute_uri(f"/api/v1/alerts/webhook/{key}")})


@router.get("alert-webhooks", response={200: WebhookList, **READING})
def list_alert_webhooks(request: HttpRequest) -> dict[str, Any]:
    """The webhooks that the token may see, by name."""
    rows = visible(principal_of(request), AlertWebhook).prefetch_related("teams")
    return {"webhooks": [_out(one) for one in rows]}


@router.patch("alert-webhooks/{id}", response={200: WebhookOut, **CHANGING})
def change_alert_webhook(request: HttpRequest, id: Id, body: WebhookChange) -> dict[str, Any]:
    """Change the name or the mapping; the address stays."""
    return _out(actions.change(principal_of(request), id, body.name, body.mapping))


@router.delete("alert-webhooks/{id}", response={204: None, **ONE})
def delete_alert_webhook(request: HttpRequest, id: Id) -> Status[None]:
    """Remove a webhook; its address no longer works."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


@router.post("alerts/webhook/{key}", auth=None, response={202: Taken, REFUSALS: Refused})
def take_alert_webhook(request: HttpRequest, key: Key) -> Status[dict[str, int]]:
    """Take the alerts that the mapping of the webhook finds in the body, which is any JSON."""
    webhook = actions.of_key(key, time.time())
    by = actions.principal_of(webhook, address_of(request))
    try:
        mapping = actions.mapping_of(webhook)
    except ValueError:
        raise HttpError(422, "A later release stored this webhook; this one can't read its mapping.") from None
    try:
        return Status(202, {"accepted": take_as(request, by, f"webhook:{webhook.pk}", partial(parse, mapping))})
    except NotAlerts as problem:
        raise HttpError(400, f"The body has no alerts: {problem}.") from None


def _out(webhook: AlertWebhook) -> dict[str, Any]:
    access = access_of(webhook)
    return {
        "id": webhook.pk,
        "name": webhook.name,
        "mapping": actions.document_of(webhook),
        "access": access,
        "last_used_at": seconds_of(webhook.last_used_at),
    }
