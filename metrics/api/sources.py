"""Managing sources."""

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from metrics.actions import sources as actions
from metrics.api.body import Body, Text
from metrics.api.tokens import admin
from metrics.models import Source

router = Router(tags=["manage"], auth=admin)


class SourceIn(Body):
    kind: str = Field(max_length=40)
    name: Text = Field(min_length=1, max_length=100)
    every: int = Field(ge=1, le=86_400, description="Seconds between two runs.")
    config: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = True


class SourceOut(Schema):
    id: int
    kind: str
    name: str
    every: int | None
    config: dict[str, Any]
    enabled: bool
    last_error: str


class SourceList(Schema):
    sources: list[SourceOut]


@router.post("sources", response={201: SourceOut})
def create_source(request: HttpRequest, body: SourceIn) -> Status[dict[str, Any]]:
    """Make a source; its first run is within `every` seconds."""
    return Status(201, _out(actions.create(body.kind, body.name, body.every, body.config, body.enabled)))


@router.get("sources", response=SourceList)
def list_sources(request: HttpRequest) -> dict[str, list[dict[str, Any]]]:
    """All sources, by name."""
    return {"sources": [_out(source) for source in Source.objects.all()]}


def _out(source: Source) -> dict[str, Any]:
    return {
        "id": source.pk,
        "kind": source.kind,
        "name": source.name,
        "every": source.every_s,
        "config": source.config,
        "enabled": source.enabled,
        "last_error": source.last_error,
    }
