"""Dashboards as YAML files."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError

from metrics.actions import dashboard_files as actions
from metrics.actions import dashboards, grafana_import
from metrics.api.body import MAKING, ONE
from metrics.api.dashboards import CHANGING, DashboardOut, seen_revision, tagged
from metrics.api.tokens import edit, principal_of, read
from metrics.yaml import SIZE_MOST_BYTES

router = Router(tags=["manage"], auth=read)

YAML = "application/yaml"
_DASHBOARD = {YAML: {"schema": {"$ref": "#/components/schemas/DashboardSpec"}}}
AS_FILE = {"responses": {200: {"description": "OK", "content": _DASHBOARD}}}
OF_GRAFANA = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
OF_FILE = {"requestBody": {"description": "The file.", "required": True, "content": _DASHBOARD}}


class LeftOutOut(Schema):
    """A panel, or a part of one, that has no counterpart, and why."""

    title: str
    reason: str


class TakenOut(Schema):
    """A dashboard made of one of Grafana's, and what was left out of it."""

    dashboard: DashboardOut
    left_out: list[LeftOutOut]


@router.post("grafana-dashboards", response={201: TakenOut, **MAKING}, auth=edit, openapi_extra=OF_GRAFANA)
def take_dashboard(request: HttpRequest, response: HttpResponse, source: str = "") -> Status[dict[str, Any]]:
    """Make a dashboard of the JSON of one of Grafana's, as far as there are counterparts.

    With the name of a `source` its queries are asked of the server of that, live.
    """
    text = _text(request, grafana_import.SIZE_MOST_BYTES)
    made, left_out = grafana_import.create(principal_of(request), text, source)
    return Status(201, {"dashboard": tagged(response, made), "left_out": left_out})


@router.get("dashboards/{slug}.yaml", response=ONE, openapi_extra=AS_FILE)
def get_file(request: HttpRequest, slug: str) -> HttpResponse:
    """One dashboard as a YAML file."""
    found = dashboards.find(principal_of(request), slug)
    text = actions.text_of(dashboards.spec_of(found))
    return HttpResponse(text, content_type=f"{YAML}; charset=utf-8", headers={"ETag": f'"{found.revision}"'})


@router.put(
    "dashboards/{slug}.yaml",
    response={200: DashboardOut, 201: DashboardOut, **CHANGING},
    auth=edit,
    openapi_extra=OF_FILE,
)
def put_file(request: HttpRequest, response: HttpResponse, slug: str) -> Status[dict[str, Any]]:
    """Make the dashboard what the file says, or make it if there is none; If-Match is for one that there is."""
    by = principal_of(request)
    text = _text(request, SIZE_MOST_BYTES)
    seen = seen_revision(request) if actions.is_there(by, slug) else None
    made, is_new = actions.put(by, slug, text, seen)
    return Status(201 if is_new else 200, tagged(response, made))


def _text(request: HttpRequest, most_bytes: int) -> str:
    """Return the body as text. Raises HttpError 413 or 400."""
    too_large = HttpError(413, f"The body is larger than {most_bytes} bytes.")
    try:
        if len(request.body) > most_bytes:
            raise too_large
        return request.body.decode()
    except RequestDataTooBig:
        raise too_large from None
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8.") from None
