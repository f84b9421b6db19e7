"""Dashboards as YAML files."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Status
from ninja.errors import HttpError

from metrics.actions import dashboard_files as actions
from metrics.actions import dashboards
from metrics.api.body import ONE
from metrics.api.dashboards import CHANGING, DashboardOut, seen_revision, tagged
from metrics.api.tokens import edit, principal_of, read
from metrics.widgets.schema import schema as dashboard_schema
from metrics.yaml import SIZE_MOST_BYTES

router = Router(tags=["manage"], auth=read)

YAML = "application/yaml"
_DASHBOARD = {YAML: {"schema": {"$ref": "#/components/schemas/DashboardSpec"}}}
AS_FILE = {"responses": {200: {"description": "OK", "content": _DASHBOARD}}}
OF_FILE = {"requestBody": {"description": "The file.", "required": True, "content": _DASHBOARD}}


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
    text = _text(request)
    seen = seen_revision(request) if actions.is_there(by, slug) else None
    made, is_new = actions.put(by, slug, text, seen)
    return Status(201 if is_new else 200, tagged(response, made))


def schema(request: HttpRequest) -> HttpResponse:
    """The JSON schema of a dashboard, which anybody may read, as the description of the API."""
    return JsonResponse(dashboard_schema())


def _text(request: HttpRequest) -> str:
    """Return the body as text. Raises HttpError 413 or 400."""
    if len(request.body) > SIZE_MOST_BYTES:
        raise HttpError(413, f"The body is larger than {SIZE_MOST_BYTES} bytes.")
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8.") from None
