"""The JSON schemas of files, for editors: by the folders that `manage.py dashboards` finds the files in."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from metrics.actions import file_schemas
from metrics.alerts.schema import schema as of_rule
from metrics.widgets.schema import schema as of_dashboard

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "dashboards": of_dashboard,
    "rules": of_rule,
    "channels": file_schemas.of_channel,
    "schedules": file_schemas.of_schedule,
    "escalations": file_schemas.of_escalation,
}


def schema(request: HttpRequest, folder: str) -> HttpResponse:
    """The JSON schema of one kind of file, which anybody may read, as the description of the API."""
    return JsonResponse(SCHEMAS[folder]())
