"""Managing the read-only links of dashboards."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Field, Router, Schema, Status

from metrics.access.sharing import Text
from metrics.actions import links as actions
from metrics.api.body import CHANGING, ONE, Body
from metrics.api.tokens import edit, principal_of
from metrics.models import Link
from metrics.times import datetime_of

router = Router(tags=["manage"], auth=edit)

LATEST = 253_402_300_799
"""The last second of the year 9999."""


class LinkIn(Body):
    """A new link. With a `range` it shows no other, and of each variable in `variables` no other values."""

    name: Text
    expires_at: float | None = Field(None, ge=0, le=LATEST, description="Unix seconds; without, it never expires.")
    range: str = ""
    variables: dict[Text, list[Text]] = Field({}, description="Values by the name of a variable.")


class LinkOut(Schema):
    """A link; times are Unix seconds. It `is_over` when it was revoked or has expired."""

    id: int
    name: str
    range: str
    variables: dict[str, list[str]]
    by: str
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    is_over: bool


class LinkMade(LinkOut):
    address: str = Field(description="A person who has it sees the dashboard. It can't be shown again.")


class LinkList(Schema):
    links: list[LinkOut]


@router.get("dashboards/{slug}/links", response={200: LinkList, **ONE})
def list_links(request: HttpRequest, slug: str) -> dict[str, Any]:
    """The links of a dashboard, those that were over in the last 30 days included."""
    _, listed = actions.listed(principal_of(request), slug)
    return {"links": [_out(one.link, is_over=one.is_over) for one in listed]}


@router.post("dashboards/{slug}/links", response={201: LinkMade, **CHANGING})
def create_link(request: HttpRequest, slug: str, body: LinkIn) -> Status[dict[str, Any]]:
    """Make a link that shows this dashboard, read-only, to whoever has its address."""
    expires_at = None if body.expires_at is None else datetime_of(body.expires_at)
    link, secret = actions.create(principal_of(request), slug, body.name, expires_at, body.range, body.variables)
    address = request.build_absolute_uri(reverse("link")) + f"#{secret}"
    return Status(201, {**_out(link, is_over=False), "address": address})


@router.delete("dashboards/{slug}/links/{id}", response={204: None, **CHANGING})
def revoke_link(request: HttpRequest, slug: str, id: int) -> Status[None]:
    """Make a link useless, also in pages that are open."""
    actions.revoke(principal_of(request), slug, id)
    return Status(204, None)


def _out(link: Link, *, is_over: bool) -> dict[str, Any]:
    return {
        "id": link.pk,
        "name": link.name,
        "range": link.range,
        "variables": link.variables,
        "by": link.by,
        "created_at": link.created_at.timestamp(),
        "expires_at": link.expires_at.timestamp() if link.expires_at else None,
        "last_used_at": link.last_used_at.timestamp() if link.last_used_at else None,
        "is_over": is_over,
    }
