"""The JSON schema of a rule's document, for editors: the condition is described by its kind."""

from functools import cache
from typing import Any

from metrics import json_schema
from metrics.access.sharing import Access
from metrics.alerts.registry import kinds
from metrics.alerts.rule import RuleSpec

VERSION = {"type": "integer", "minimum": 1, "description": "Of the form of the condition; 1 if it is left out."}


@cache
def schema() -> dict[str, Any]:
    """Return the schema, which is not to be changed."""
    found = json_schema.of(RuleSpec, "Rule", optional=("query",))  # some conditions look at one metric
    definitions, properties = found["$defs"], found["properties"]
    definitions["Access"] = Access.model_json_schema()
    properties["access"] = {"$ref": "#/$defs/Access", "description": "The people it is for; its teams are told."}
    properties["condition"] = {"anyOf": [_of_kind(kind, definitions) for kind in sorted(kinds())]}
    definitions["RuleQuery"]["required"] = []
    return found


def _of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    config = json_schema.of_kind(kind, kinds()[kind].config_class, type(kinds()[kind]), definitions)
    config["properties"] = {"kind": {"const": kind}, "version": VERSION, **config.get("properties", {})}
    config["required"] = ["kind", *config.get("required", [])]
    return config
