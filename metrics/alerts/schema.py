"""The JSON schema of a rule's document, for editors: the condition is described by its kind."""

from functools import cache
from typing import Any

from metrics.access.sharing import Access
from metrics.alerts.registry import kinds
from metrics.alerts.rule import RuleSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def schema() -> dict[str, Any]:
    """Return the schema, which is not to be changed."""
    found = RuleSpec.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = found.pop("$defs")
    definitions["Access"] = Access.model_json_schema()
    properties = found["properties"]
    properties["access"] = {"$ref": "#/$defs/Access", "description": "The people it is for; its teams are told."}
    properties["condition"] = {"anyOf": [_of_kind(kind, definitions) for kind in sorted(kinds())]}
    required = [name for name in found.pop("required") if name != "query"]  # some conditions look at one metric
    definitions["RuleQuery"]["required"] = []
    return {"$schema": DIALECT, **found, "title": "Rule of Watchfloor", "required": required, "$defs": definitions}


def _of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = kinds()[kind].config_class.model_json_schema(ref_template=f"#/$defs/{kind}_{{model}}")
    definitions |= {f"{kind}_{name}": one for name, one in config.pop("$defs", {}).items()}
    config["properties"] = {"kind": {"const": kind}, **config.get("properties", {})}
    config["required"] = ["kind", *config.get("required", [])]
    config["description"] = (kinds()[kind].__doc__ or "").partition("\n")[0]
    return config
