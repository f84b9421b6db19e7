"""JSON schemas of documents that people write as files, made of pydantic's: configs are described by their kinds."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def of(model: type[BaseModel], noun: str, *, optional: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema of a document of Watchfloor, a `noun`; fields that are `optional` may be left out in a file."""
    found = model.model_json_schema(by_alias=True)
    required = [name for name in found.pop("required", []) if name not in optional]
    definitions = found.pop("$defs", {})
    head = {"$schema": DIALECT, **found, "title": f"{noun} of Watchfloor"}
    return {**head, **({"required": required} if required else {}), "$defs": definitions}


def of_kind(kind: str, config_class: type[BaseModel], owner: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the configs of a `kind`, which its class, the `owner`, describes.

    Their parts are put among `definitions`, under names that begin with the kind.
    """
    config: dict[str, Any] = config_class.model_json_schema(ref_template=f"#/$defs/{kind}_{{model}}")
    definitions |= {f"{kind}_{name}": one for name, one in config.pop("$defs", {}).items()}
    config["description"] = (owner.__doc__ or "").partition("\n")[0]
    return config


def condition(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the condition by which documents of a `kind` have such a `config`."""
    return {"if": {"properties": {"kind": {"const": kind}}}, "then": {"properties": {"config": config}}}


def without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without the titles that pydantic makes of names, but for its own."""
    return {**_without_titles(schema), "title": schema["title"]}


def _without_titles(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_titles(one) for name, one in part.items() if name != "title" or not isinstance(one, str)}
