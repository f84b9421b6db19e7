"""Annotations: moments and spans that charts mark, such as a deploy."""

import time
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status
from pydantic import AwareDatetime

from metrics.access.sharing import Access
from metrics.actions import annotations as actions
from metrics.actions import idempotency
from metrics.actions.errors import TooOften
from metrics.actions.teams import access_of
from metrics.api.body import CHANGING, MAKING, ONE, Body, Refused, Text
from metrics.api.push import key_of
from metrics.api.series import Moment
from metrics.api.tokens import edit, principal_of, read, token_of
from metrics.models import Annotation
from metrics.redis_state import limits
from metrics.times import seconds_of
from metrics.widgets.annotated import TAG_MOST, TAGS_MOST

router = Router(tags=["annotations"])

LISTED, LISTED_MOST = 50, 500
PER_MINUTE = 600
Id = Annotated[int, Path(description="The annotation's id.", ge=1, le=2**63 - 1)]
TAGS = "Words by which charts choose it."
KEY = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "description": "Of requests with the same key only the first makes an annotation, for 24 hours; "
            "the others get its answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}


class AnnotationIn(Body):
    text: Text = Field(max_length=actions.TEXT_MOST, description="The text: what happened.")
    at: AwareDatetime | None = Field(None, description="When, as Unix seconds or with a zone; else now.")
    until: AwareDatetime | None = Field(None, description="When a span ends; without it, it is a moment.")
    tags: list[Text] = Field([], max_length=TAGS_MOST, description=TAGS)
    access: Access | None = Field(
        None, description="The people who may see it; else the teams of the token, or everyone."
    )


class AnnotationChanges(Body):
    """Some of the fields; those that are left out stay as they are."""

    text: Text | None = Field(None, max_length=actions.TEXT_MOST, description="The text: what happened.")
    at: AwareDatetime | None = Field(None, description="When.")
    until: AwareDatetime | None = Field(None, description="When a span ends; null makes a moment of it.")
    tags: list[Text] | None = Field(None, max_length=TAGS_MOST, description=TAGS)
    access: Access | None = Field(None, description="The people who may see it.")


class AnnotationOut(Schema):
    """An annotation. Times are Unix seconds; `until` is null for a moment."""

    id: int
    text: str
    at: float
    until: float | None
    tags: list[str]
    by: str
    created_at: float
    access: Access


class AnnotationList(Schema):
    annotations: list[AnnotationOut]


@router.get("annotations", auth=read, response={200: AnnotationList, **ONE})
def list_annotations(
    request: HttpRequest,
    start: Annotated[Moment | None, Query(description="Those that are over before are left out.")] = None,
    end: Annotated[Moment | None, Query(description="Those that begin then or later are left out.")] = None,
    tags: Annotated[
        list[Annotated[Text, Field(max_length=TAG_MOST)]],
        Query(description="One of these tags; may be given several times.", max_length=TAGS_MOST),
    ] = [],  # noqa: B006 (ninja copies it)
    before: Annotated[
        int | None, Query(description="Those behind the annotation of this id in the list.", ge=1, le=2**63 - 1)
    ] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=LISTED_MOST)] = LISTED,
) -> dict[str, Any]:
    """The annotations that the token may see, the newest first."""
    found = actions.listed(principal_of(request), tags, start, end, before)
    return {"annotations": [_out(one) for one in found[:limit]]}


@router.get("annotations/{id}", auth=read, response={200: AnnotationOut, **ONE})
def get_annotation(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One annotation."""
    return _out(actions.find(principal_of(request), id))


@router.post(
    "annotations",
    auth=edit,
    response={201: AnnotationOut, **MAKING, frozenset({409, 429}): Refused},
    openapi_extra=KEY,
)
def create_annotation(request: HttpRequest, body: AnnotationIn) -> Status[dict[str, Any]]:
    """Mark a moment, or a span, on charts. With an Idempotency-Key it is made once, however often it is sent."""
    by, now = principal_of(request), time.time()
    _spend(request, now)

    def make() -> dict[str, Any]:
        return _out(actions.create(by, body.text, body.at, body.until, body.tags, body.access))

    key = key_of(request, token_of(request), request.body)
    return Status(201, make() if key is None else idempotency.made_once(key, make, now))


@router.patch("annotations/{id}", auth=edit, response={200: AnnotationOut, **CHANGING, 429: Refused})
def change_annotation(request: HttpRequest, id: Id, body: AnnotationChanges) -> dict[str, Any]:
    """Change what is given, such as when a span ends."""
    _spend(request, time.time())
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changes = {name: value for name, value in given.items() if value is not None or name == "until"}
    return _out(actions.change(principal_of(request), id, changes))


@router.delete("annotations/{id}", auth=edit, response={204: None, **ONE})
def delete_annotation(request: HttpRequest, id: Id) -> Status[None]:
    """Remove one, also from charts of the past."""
    actions.delete(principal_of(request), id)
    return Status(204, None)


def _spend(request: HttpRequest, now: float) -> None:
    """Raise TooOften if the token has made and changed as many as it may in a minute."""
    if wait_s := limits.spend(f"annotations:{token_of(request).pk}", 1, PER_MINUTE, now):
        raise TooOften(f"A token may make and change {PER_MINUTE} annotations a minute; wait {wait_s} s.", wait_s)


def _out(row: Annotation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "text": row.text,
        "at": seconds_of(row.at),
        "until": seconds_of(row.until),
        "tags": actions.tags_of(row),
        "by": row.by,
        "created_at": seconds_of(row.created_at),
        "access": access_of(row).model_dump(),
    }
