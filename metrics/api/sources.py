"""Managing sources."""

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from metrics.actions import sources as actions
from metrics.api.body import Body, Text
from metrics.api.tokens import admin
from metrics.models import Source
from metrics.schedule import CRON_MOST

router = Router(tags=["manage"], auth=admin)


class SourceIn(Body):
    kind: str = Field(max_length=40)
    name: Text = Field(min_length=1, max_length=100)
    every: int | None = Field(None, ge=1, le=actions.EVERY_MOST_S, description="Seconds between two runs.")
    cron: Text = Field("", max_length=CRON_MOST, description="Instead of every: minute, hour, day, month, weekday.")
    time_zone: Text = Field("", max_length=50, description="Of cron; without it, that of the installation.")
    config: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = True


class SourceOut(Schema):
    id: int
    kind: str
    name: str
    every: int | None
    cron: str
    time_zone: str
    config: dict[str, Any]
    enabled: bool
    last_error: str


class SourceList(Schema):
    sources: list[SourceOut]


@router.post("sources", response={201: SourceOut})
def create_source(request: HttpRequest, body: SourceIn) -> Status[dict[str, Any]]:
    """Make a source that runs every so many seconds, or by cron."""
    when = {"cron": body.cron, "time_zone": body.time_zone}
    return Status(201, _out(actions.create(body.kind, body.name, body.every, body.config, body.enabled, **when)))


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
        "cron": source.cron,
        "time_zone": source.time_zone,
        "config": source.config,
        "enabled": source.enabled,
        "last_error": source.last_error,
    }
