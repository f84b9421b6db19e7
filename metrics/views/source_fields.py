"""The fields of a config, from the JSON schema of its kind, and how each is written as text and read again.

What makes sense is decided by the kind, which gets texts as they were typed; here is refused only what can't be
read at all, such as bad JSON.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

LONG = 1000
SCALARS = {"string", "integer", "number"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its `name`, its part of the `schema` without references and "or null", and how it is typed in.

    `type` is text, long, number, checkbox, select, lines (a list), pairs (a dictionary) or json. `options` are those of
    a select. A credential `is_secret`. `default` is what counts if it is left out.
    """

    name: str
    schema: Schema
    type: str
    is_secret: bool
    required: bool
    default: Any
    help: str
    options: tuple[str, ...]

    def write(self, value: Any) -> str:
        """Return `value` as it is typed; of a checkbox, an empty text if it is not checked."""
        return "" if value is None or value is False else WRITE.get(self.type, str)(value)

    def read(self, text: str) -> Any:
        """Return the value that `text` is, as far as that can be told. Raises ValueError with a sentence."""
        text = text.replace("\r\n", "\n")
        return READ.get(self.type, str)(text if self.is_secret else text.strip())


def fields(schema: Schema) -> list[Field]:
    """Return the fields of a config with this JSON schema."""
    return [_field(name, raw, schema) for name, raw in schema.get("properties", {}).items()]


def _field(name: str, raw: Schema, schema: Schema) -> Field:
    plain = _plain(raw, schema)
    type = _type(plain, schema)
    options = plain.get("enum", [plain["const"]] if "const" in plain else [])
    may_be_null = options and any(one.get("type") == "null" for one in raw.get("anyOf", ()))
    return Field(
        name=name,
        schema=plain,
        type=type,
        is_secret=_is_secret(plain, schema),
        required=name in schema.get("required", ()),
        default=raw.get("default"),
        help=" ".join(filter(None, [raw.get("description", ""), HOW.get(type, "")])),
        options=(*([""] if may_be_null else []), *map(str, options)),
    )


def _plain(part: Schema, schema: Schema) -> Schema:
    if "$ref" in part:
        return _plain(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    options = [one for one in part.get("anyOf", part.get("allOf", ())) if one.get("type") != "null"]
    return _plain(options[0], schema) if len(options) == 1 else part


def _type(plain: Schema, schema: Schema) -> str:
    kind = plain.get("type")
    if "enum" in plain or "const" in plain:
        return "select"
    if kind == "boolean":
        return "checkbox"
    if kind in ("integer", "number"):
        return "number"
    if kind == "string":
        return "long" if plain.get("maxLength", 0) > LONG and plain.get("format") != "password" else "text"
    if kind == "array" and _is_scalar(plain.get("items"), schema):
        return "lines"
    if kind == "object" and _is_scalar(plain.get("additionalProperties"), schema):
        return "pairs"
    options = plain.get("anyOf", ())
    return "text" if options and all(_is_scalar(one, schema) for one in options) else "json"


def _is_scalar(part: Any, schema: Schema) -> bool:
    return isinstance(part, Mapping) and _plain(part, schema).get("type") in SCALARS


def _is_secret(part: Any, schema: Schema) -> bool:
    """Return whether there is a credential anywhere in `part`, by the rule of metrics.actions.credentials."""
    if isinstance(part, list):
        return any(_is_secret(inner, schema) for inner in part)
    if not isinstance(part, Mapping):
        return False
    if "$ref" in part:
        return _is_secret(_plain(part, schema), schema)
    return part.get("format") == "password" or any(_is_secret(inner, schema) for inner in part.values())


def _read_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _read_pairs(text: str) -> dict[str, str]:
    pairs = {}
    for number, line in enumerate(text.split("\n"), 1):
        name, colon, value = line.partition(": " if ": " in line else ":")  # a metric's name may have a colon
        if line.strip() and not (colon and name.strip()):
            raise ValueError(f"Line {number} is not a name, a colon and a value.")
        if line.strip():
            pairs[name.strip()] = value.strip()
    return pairs


def _read_json(text: str) -> Any:
    try:
        return json.loads(text) if text else ""
    except json.JSONDecodeError as problem:
        raise ValueError(f"This is not JSON: {problem.msg} in line {problem.lineno}.") from None
    except (ValueError, RecursionError):
        raise ValueError("This is not JSON that can be read.") from None


READ: dict[str, Callable[[str], Any]] = {
    "checkbox": bool,
    "lines": _read_lines,
    "pairs": _read_pairs,
    "json": _read_json,
}
WRITE: dict[str, Callable[[Any], str]] = {
    "lines": lambda value: "\n".join(map(str, value)),
    "pairs": lambda value: "\n".join(f"{name}: {inner}" for name, inner in value.items()),
    "json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
}
HOW = {"lines": "One a line.", "pairs": "One a line: name, colon, value.", "json": "As JSON."}
