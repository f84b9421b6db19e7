"""The JSON schema of a dashboard's document, for editors: the config of each widget is described by its kind."""

from functools import cache
from typing import Any

from metrics.widgets.registry import kinds
from metrics.widgets.spec import DashboardSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/{model}"


@cache
def schema() -> dict[str, Any]:
    """Return the schema, which is not to be changed: dashboards as they are written, with `slug` optional."""
    found = DashboardSpec.model_json_schema(ref_template=REFERENCE)
    definitions: dict[str, Any] = found.pop("$defs")
    widget = definitions["WidgetSpec"]
    widget["properties"]["kind"] = {"enum": sorted(kinds()), "description": "How it is shown."}
    widget["allOf"] = [_of_kind(kind, definitions) for kind in sorted(kinds())]
    required = [name for name in found.pop("required") if name != "slug"]  # the name of a file says it
    whole = {
        "$schema": DIALECT,
        "title": "Dashboard of Watchfloor",
        **found,
        "required": required,
        "$defs": definitions,
    }
    return {**_without_titles(whole), "title": whole["title"]}


def _of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the condition that describes configs of `kind`; what they are made of is put among `definitions`."""
    config = kinds()[kind].config_class.model_json_schema(ref_template=f"#/$defs/{kind}_{{model}}")
    definitions |= {f"{kind}_{name}": one for name, one in config.pop("$defs", {}).items()}
    definitions[kind] = config
    config["description"] = (kinds()[kind].__doc__ or "").partition("\n")[0]
    return {
        "if": {"properties": {"kind": {"const": kind}}},
        "then": {"properties": {"config": {"$ref": f"#/$defs/{kind}"}}},
    }


def _without_titles(part: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names."""
    if isinstance(part, list):
        return [_without_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_titles(one) for name, one in part.items() if name != "title" or not isinstance(one, str)}
