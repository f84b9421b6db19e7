"""Managing dashboards."""

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from metrics.actions import dashboards as actions
from metrics.api.body import MAKING, READING, Body, Text
from metrics.api.tokens import admin
from metrics.models import Dashboard

router = Router(tags=["manage"], auth=admin)


class WidgetIn(Body):
    kind: str = Field(max_length=20)
    title: Text = Field(min_length=1, max_length=100)
    config: dict[str, Any]
    width: int = Field(3, ge=1, le=12, description="Columns of 12.")
    height: int = Field(1, ge=1, le=4, description="Rows.")


class DashboardIn(Body):
    slug: str = Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=50)
    title: Text = Field(min_length=1, max_length=100)
    description: Text = Field("", max_length=300)
    range: str = "1h"
    widgets: list[WidgetIn] = Field([], max_length=100)


class DashboardOut(DashboardIn):
    id: int


class DashboardList(Schema):
    dashboards: list[DashboardOut]


@router.post("dashboards", response={201: DashboardOut, **MAKING})
def create_dashboard(request: HttpRequest, body: DashboardIn) -> Status[dict[str, Any]]:
    """Make a dashboard with its widgets, in the order given."""
    widgets = [actions.NewWidget(**widget.dict()) for widget in body.widgets]
    return Status(201, _out(actions.create(body.slug, body.title, body.description, body.range, widgets)))


@router.get("dashboards", response={200: DashboardList, **READING})
def list_dashboards(request: HttpRequest) -> dict[str, list[dict[str, Any]]]:
    """All dashboards, by title."""
    return {"dashboards": [_out(one) for one in Dashboard.objects.prefetch_related("widgets")]}


def _out(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "id": dashboard.pk,
        "slug": dashboard.slug,
        "title": dashboard.title,
        "description": dashboard.description,
        "range": dashboard.range,
        "widgets": [
            {
                "kind": widget.kind,
                "title": widget.title,
                "config": widget.config,
                "width": widget.width,
                "height": widget.height,
            }
            for widget in dashboard.widgets.all()
        ],
    }
