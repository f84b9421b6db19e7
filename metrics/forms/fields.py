"""The fields of a config, from the JSON schema of its class, and how each is written as text and read again.

The class decides what makes sense, and gets texts as they were typed; this module refuses only texts that can't be read
at all, such as bad JSON.
"""

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from metrics.forms.labels import label, one_of
from metrics.times import LOCAL_TIME

Schema = Mapping[str, Any]

LONG = 1000
SCALARS = {"string", "integer", "number"}
YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its `name`, its part of the `schema` without references and "or null", and how it is typed in.

    `type` is text, long, number, time (a local one), checkbox, select, lines (a list), pairs (a dictionary), json,
    group (a model) or list (of models). `values` are those of a select, by the text of their option. A group and each
    item of a list have `fields`. A credential `is_secret`. One that is `nullable` may be None. `default` is what counts
    if it is left out. `suggest` says what is suggested while somebody types, empty for nothing: a metric, the labels of
    the one beside it, a label of that one or of any, people and channels to tell; a title is proposed with a metric; a
    picture is uploaded. In an item of a list, fields beyond the first are folded unless they say something, or one is
    always `shown`. Where an empty value is something else than None, and people may choose it, `empty` says in words
    what it is.
    """

    name: str
    schema: Schema
    type: str
    label: str
    is_secret: bool
    required: bool
    nullable: bool
    default: Any
    help: str
    values: Mapping[str, Any]
    fields: tuple["Field", ...] = ()
    suggest: str = ""
    shown: bool = False
    empty: str = ""

    @property
    def least_items(self) -> int:
        """How many items a list has to have."""
        return int(self.schema.get("minItems", 0)) if self.type == "list" else 0

    def write(self, value: Any) -> str:
        """Return `value` as it is typed; of a checkbox, an empty text if it is not checked."""
        if self.type == "select":
            return next((text for text, one in self.values.items() if text and one == value), "")
        return "" if value is None else WRITE.get(self.type, str)(value)

    def read(self, text: str, *, exact: bool = False) -> Any:
        """Return the value that `text` is, as far as that can be told. Raises ValueError with a sentence.

        Blanks around it are left out, unless it is `exact`.
        """
        text = text.replace("\r\n", "\n")
        text = text if exact or self.is_secret else text.strip()
        return self.values.get(text, text) if self.type == "select" else READ.get(self.type, str)(text)


def fields_of(config_class: type[BaseModel], *names: str) -> tuple[Field, ...]:
    """Return the fields of `config_class`: all, or those that have one of `names`, in their order."""
    found = _of_class(config_class)
    return tuple(next(one for one in found if one.name == name) for name in names) or found


def offering(fields: Iterable[Field], name: str, texts: Iterable[str]) -> tuple[Field, ...]:
    """Return `fields`, of which the one of this `name` is chosen from `texts`, or is empty."""
    offered = {text: text for text in ("", *texts)}
    return tuple(replace(one, type="select", values=offered) if one.name == name else one for one in fields)


@cache
def _of_class(config_class: Hashable) -> tuple[Field, ...]:
    assert isinstance(config_class, type)
    assert issubclass(config_class, BaseModel)
    return fields(config_class.model_json_schema())


def fields(schema: Schema) -> tuple[Field, ...]:
    """Return the fields of a config with this JSON schema. A model inside itself is a field of JSON."""
    return _fields(_plain(schema, schema), schema, frozenset())


def beside(fields: Collection[Field], path: str) -> tuple[str, str]:
    """Return the part of `path` ("queries.0.labels.host") that is a field or an item of a form, and the rest of it."""
    name, _, rest = path.partition(".")
    field = next((one for one in fields if one.name == name), None)
    if field is None:
        return "", path
    if field.type == "group":
        return _joined(name, *beside(field.fields, rest))
    index, _, inner = rest.partition(".")
    if field.type == "list" and index.isdigit():
        return _joined(f"{name}.{index}", *beside(field.fields, inner))
    return name, rest


def label_of(fields: Collection[Field], path: str) -> str:
    """Return the place of a field as people write it: `queries.0.metric` is "Query 1, Metric"."""
    name, _, rest = path.partition(".")
    field = next((one for one in fields if one.name == name), None)
    if field is None:
        return path
    index, _, inner = rest.partition(".")
    said, rest = (
        (f"{one_of(field.label)} {int(index) + 1}", inner) if field.type == "list" and index else (field.label, rest)
    )
    return f"{said}, {label_of(field.fields, rest)}" if rest else said


def _label(name: str, title: str) -> str:
    """Return the label of a field; pydantic makes up a title of its own where its class gives none."""
    return title if title and title != name.replace("_", " ").title() else label(name)


def _joined(before: str, place: str, rest: str) -> tuple[str, str]:
    return (f"{before}.{place}" if place else before), rest


def _fields(model: Schema, schema: Schema, above: frozenset[int], *, in_nullable: bool = False) -> tuple[Field, ...]:
    needed = model.get("required", ())
    found = model.get("properties", {}).items()
    return tuple(_field(name, raw, schema, above, name in needed, in_nullable) for name, raw in found)


def _field(name: str, raw: Schema, schema: Schema, above: frozenset[int], required: bool, in_nullable: bool) -> Field:
    plain = _plain(raw, schema)
    nullable = any(one.get("type") == "null" for one in raw.get("anyOf", ()))
    is_secret = _is_secret(plain, schema, frozenset())
    inner = _inner(plain, schema)
    type = _type(plain, schema) if is_secret or inner is None or id(inner) in above else _of_models(plain)
    if type == "checkbox" and nullable:
        type = "select"
    return Field(
        name=name,
        schema=plain,
        type=type,
        label=_label(name, str(raw.get("title", ""))),
        is_secret=is_secret,
        required=required,
        nullable=nullable,
        default=raw.get("default"),
        help=" ".join(filter(None, [raw.get("description", ""), HOW.get(type, "")])),
        values=_values(plain, nullable, in_nullable and required) if type == "select" else {},
        fields=_fields(inner, schema, above | {id(inner)}, in_nullable=nullable or in_nullable)
        if inner is not None and type in ("group", "list")
        else (),
        suggest=str(raw.get("suggest", "")),
        shown=bool(raw.get("shown")),
        empty=str(raw.get("empty", "")),
    )


def _values(plain: Schema, nullable: bool, may_be_left: bool) -> dict[str, Any]:
    """Return the values of a select by their texts; `may_be_left` if it needs a choice only where others are made."""
    none: dict[str, Any] = {"": None} if nullable else {"": ""} if may_be_left else {}
    if plain.get("type") == "boolean":
        return {**none, **YES_NO}
    options = plain.get("enum", [plain["const"]] if "const" in plain else [])
    return {**none, **{str(option): option for option in options if option is not None}}


def _plain(part: Schema, schema: Schema) -> Schema:
    if "$ref" in part:
        return _plain(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    options = [one for one in part.get("anyOf", part.get("allOf", ())) if one.get("type") != "null"]
    return _plain(options[0], schema) if len(options) == 1 else part


def _inner(plain: Schema, schema: Schema) -> Schema | None:
    """Return the model that `plain` is, or a list of; None for anything else."""
    part = _plain(plain.get("items", {}), schema) if plain.get("type") == "array" else plain
    return part if part.get("type") == "object" and "properties" in part else None


def _of_models(plain: Schema) -> str:
    return "list" if plain.get("type") == "array" else "group"


def _type(plain: Schema, schema: Schema) -> str:
    kind = plain.get("type")
    if "enum" in plain or "const" in plain:
        return "select"
    if kind == "boolean":
        return "checkbox"
    if kind in ("integer", "number"):
        return "number"
    if kind == "string" and plain.get("format") == LOCAL_TIME:
        return "time"
    if kind == "string":
        return "long" if plain.get("maxLength", 0) > LONG and plain.get("format") != "password" else "text"
    if kind == "array" and _is_scalar(plain.get("items"), schema):
        return "lines"
    if kind == "object" and _is_scalar(_single(plain.get("additionalProperties")), schema):
        return "pairs"
    options = plain.get("anyOf", ())
    return "text" if options and all(_is_scalar(one, schema) for one in options) else "json"


def _is_scalar(part: Any, schema: Schema) -> bool:
    return isinstance(part, Mapping) and _plain(part, schema).get("type") in SCALARS


def _single(part: Any) -> Any:
    """Return the first of the forms that a value may have: of a text or a list of texts, the text."""
    return part["anyOf"][0] if isinstance(part, Mapping) and "anyOf" in part else part


def _is_secret(part: Any, schema: Schema, above: frozenset[str]) -> bool:
    """Return whether there is a credential anywhere in `part`, by the rule of metrics.actions.credentials."""
    if isinstance(part, list):
        return any(_is_secret(inner, schema, above) for inner in part)
    if not isinstance(part, Mapping):
        return False
    if "$ref" in part:
        return part["$ref"] not in above and _is_secret(_plain(part, schema), schema, above | {part["$ref"]})
    return part.get("format") == "password" or any(_is_secret(inner, schema, above) for inner in part.values())


def _read_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _read_pairs(text: str) -> dict[str, str | list[str]]:
    """Return the pairs in `text`. A name that is there more than once has a list of values."""
    pairs: dict[str, list[str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        name, colon, value = line.partition(": " if ": " in line else ":")  # a metric's name may have a colon
        if line.strip() and not (colon and name.strip()):
            raise ValueError(f"Line {number} is not a name, a colon and a value.")
        if line.strip():
            pairs.setdefault(name.strip(), []).append(value.strip())
    return {name: values if len(values) > 1 else values[0] for name, values in pairs.items()}


def _write_pairs(pairs: Mapping[str, Any]) -> str:
    several = ((name, value if isinstance(value, list) else [value]) for name, value in pairs.items())
    return "\n".join(f"{name}: {one}" for name, values in several for one in values)


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
    "checkbox": lambda value: "on" if value else "",
    "lines": lambda value: "\n".join(map(str, value)),
    "pairs": _write_pairs,
    "json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
}
HOW = {"lines": "One a line.", "pairs": "One a line: name, colon, value.", "json": "As JSON."}
