"""The JSON schema of a dashboard's document, for editors: the config of each widget is described by its kind."""

from functools import cache
from typing import Any

from metrics import json_schema
from metrics.widgets.registry import kinds
from metrics.widgets.spec import DashboardSpec


@cache
def schema() -> dict[str, Any]:
    """Return the schema, which is not to be changed: dashboards as they are written, with `slug` optional."""
    found = json_schema.of(DashboardSpec, "Dashboard", optional=("slug",))  # the name of a file says it
    definitions = found["$defs"]
    widget = definitions["WidgetSpec"]
    widget["properties"]["kind"] = {"enum": sorted(kinds()), "description": "How it is shown."}
    widget["allOf"] = [_of_kind(kind, definitions) for kind in sorted(kinds())]
    return json_schema.without_titles(found)


def _of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    config = json_schema.of_kind(kind, kinds()[kind].config_class, type(kinds()[kind]), definitions)
    definitions[kind] = config
    return json_schema.condition(kind, {"$ref": f"#/$defs/{kind}"})
