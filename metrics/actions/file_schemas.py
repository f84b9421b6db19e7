"""The JSON schemas of files of channels, schedules and escalations, for editors: credentials are named in them."""

from functools import cache
from typing import Any

from metrics import json_schema
from metrics.actions import credentials
from metrics.actions.channel_files import ChannelDocument
from metrics.actions.escalation_files import EscalationDocument
from metrics.actions.schedule_files import ScheduleDocument
from metrics.alerts.digest import DigestSpec
from metrics.notify.registry import kinds


def _only(name: str, value: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: value},
        "required": [name],
        "additionalProperties": False,
        "description": description,
    }


NAMED = {
    "anyOf": [
        _only("env", {"type": "string"}, "A variable of the environment."),
        _only("file", {"type": "string"}, "A file, such as a secret of a container."),
    ]
}
KEPT = _only("kept", {"const": True}, "The one that is stored already.")
REFERENCES = {
    "Named": NAMED,
    "Credential": {"anyOf": [{"$ref": "#/$defs/Named"}, KEPT]},
    "Credentials": {"anyOf": [{"type": "object", "additionalProperties": {"$ref": "#/$defs/Named"}}, KEPT]},
}
"""How a file names a credential, and several in one: see `metrics.actions.references`."""


@cache
def of_channel() -> dict[str, Any]:
    """Return the schema of a channel's file, which is not to be changed."""
    found = json_schema.of(ChannelDocument, "Channel")
    definitions, properties = found["$defs"], found["properties"]
    definitions |= REFERENCES
    digest = DigestSpec.model_json_schema(ref_template="#/$defs/{model}")
    definitions |= digest.pop("$defs", {})
    properties["digest"] = {"anyOf": [digest, {"type": "null"}]}
    properties["kind"] = {"enum": sorted(kinds()), "description": "How it tells."}
    found["allOf"] = [_of_kind(kind, definitions) for kind in sorted(kinds())]
    return json_schema.without_titles(found)


def _of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    config_class = kinds()[kind].config_class
    config = json_schema.of_kind(kind, config_class, type(kinds()[kind]), definitions)
    for name in credentials.names(config_class):
        before = config["properties"][name]
        several = before.get("type") == "object" or any(one.get("type") == "object" for one in before.get("anyOf", []))
        said = {"description": before["description"]} if "description" in before else {}
        config["properties"][name] = {"$ref": f"#/$defs/{'Credentials' if several else 'Credential'}", **said}
    definitions[kind] = config
    return json_schema.condition(kind, {"$ref": f"#/$defs/{kind}"})


@cache
def of_schedule() -> dict[str, Any]:
    """Return the schema of a schedule's file, which is not to be changed."""
    found = json_schema.of(ScheduleDocument, "Schedule")
    found["$defs"] |= REFERENCES
    found["properties"]["url"] = {"$ref": "#/$defs/Credential", "description": "A calendar elsewhere that is followed."}
    return json_schema.without_titles(found)


@cache
def of_escalation() -> dict[str, Any]:
    """Return the schema of the file of how a team answers, which is not to be changed."""
    return json_schema.without_titles(json_schema.of(EscalationDocument, "Escalation"))
