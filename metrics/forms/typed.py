"""From a config to what a browser sends of its form, and back.

Both are plain texts by name: `config-queries-0-metric`. Beside them stand, behind a dot, notes that the form makes for
itself: `config-queries-0.said` names the fields that were given though they are as usual, so that they go on to be
given, `config-unit.empty` says of a field that it is empty, and not left out, and `config-expect.exact` of a text that
the blanks around it belong to it.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from metrics.forms.fields import Field

PREFIX = "config"
REMOVE = "remove-"
ADD, DROP = "add", "drop"
"""Names of the buttons that add an item to a list, and remove one; their value is the name of the list or item."""

Typed = Mapping[str, str]


def write(fields: Collection[Field], config: Mapping[str, Any], name: str = PREFIX) -> dict[str, str]:
    """Return what a browser sends of the form of `config` if nobody types anything. Credentials are left out."""
    typed: dict[str, str] = {}
    for field in fields:
        value = config.get(field.name, field.default)
        if field.least_items and not value:
            value = [{}] * field.least_items
        typed |= _write(field, value, f"{name}-{field.name}")
    given = [field for field in fields if field.name in config and not field.is_secret]
    said = [field.name for field in given if _is_usual(field, _read(field, typed, f"{name}-{field.name}")[0])]
    return {**typed, f"{name}.said": " ".join(said)}


def parse(fields: Collection[Field], typed: Typed, name: str = PREFIX) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the config that was `typed`, and by path ("queries.0.labels") a sentence for what can't be read.

    A value that equals its default is left out, unless it was given before.
    """
    config: dict[str, Any] = {}
    errors: dict[str, str] = {}
    said = set(typed.get(f"{name}.said", "").split())
    for field in fields:
        value, wrong = _read(field, typed, f"{name}-{field.name}")
        errors |= {f"{field.name}.{place}".removesuffix("."): sentence for place, sentence in wrong.items()}
        if wrong:
            continue
        if field.is_secret and typed.get(REMOVE + field.name):
            config[field.name] = ""
        elif field.name in said or not _is_usual(field, value):
            config[field.name] = value
    return config, errors


def indices(typed: Typed, name: str) -> list[int]:
    """Return the numbers of the items that the list `name` has in what was `typed`, in order."""
    item = re.compile(re.escape(name) + r"-([0-9]{1,4})[-.]")
    return sorted({int(found[1]) for found in map(item.match, typed) if found})


def pressed(fields: Collection[Field], typed: Typed, name: str = PREFIX) -> tuple[dict[str, str], str] | None:
    """Return `typed` after one of the buttons of a list was pressed, and what has the focus then; None if none was.

    The focus is on a new item, or on the list that has one less.
    """
    if added := typed.get(ADD):
        found = _list(fields, typed, added, name)
        if found is None:
            return dict(typed), ""
        numbers = indices(typed, added)
        blank = write(found.fields, {}, f"{added}-{max(numbers, default=-1) + 1}")
        return {**typed, **blank}, f"{added}-{len(numbers)}"
    if dropped := typed.get(DROP):
        item = (f"{dropped}-", f"{dropped}.")
        return {one: text for one, text in typed.items() if not one.startswith(item)}, dropped.rpartition("-")[0]
    return None


def blank(value: Any) -> bool:
    """Return whether nothing was typed into what was read as `value`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not value or (bool(inner) and all(map(blank, inner)))


def is_usual(field: Field, typed: Typed, name: str) -> bool:
    """Return whether what was typed into the field `name` is what counts if it is left out."""
    value, wrong = _read(field, typed, name)
    return not wrong and _is_usual(field, value)


def _write(field: Field, value: Any, name: str) -> dict[str, str]:
    typed: dict[str, str] = {}
    if field.type == "group":
        typed = write(field.fields, value if isinstance(value, Mapping) else {}, name)
    elif field.type == "list":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            typed |= write(field.fields, item if isinstance(item, Mapping) else {}, f"{name}-{index}")
    elif text := "" if field.is_secret else field.write(value):
        typed[name] = text
        if field.type in ("text", "long") and text != text.strip():
            typed[f"{name}.exact"] = "on"
    elif field.type != "checkbox":
        typed[name] = ""
    if field.nullable and value is not None and not field.is_secret and _read(field, typed, name)[0] is None:
        typed[f"{name}.empty"] = "on"
    return typed


def _read(field: Field, typed: Typed, name: str) -> tuple[Any, dict[str, str]]:
    """Return the value of a field, and what can't be read of it by the path inside it."""
    try:
        value, wrong = _value(field, typed, name)
    except ValueError as problem:
        return None, {"": str(problem)}
    if field.nullable and field.type != "select" and blank(value) and not typed.get(f"{name}.empty"):
        value = None
    return value, wrong


def _value(field: Field, typed: Typed, name: str) -> tuple[Any, dict[str, str]]:
    if field.type == "group":
        return parse(field.fields, typed, name)
    if field.type != "list":
        return field.read(typed.get(name, ""), exact=f"{name}.exact" in typed), {}
    items: list[dict[str, Any]] = []
    errors: dict[str, str] = {}
    for number, index in enumerate(indices(typed, name)):
        item, wrong = parse(field.fields, typed, f"{name}-{index}")
        items.append(item)
        errors |= {f"{number}.{place}": sentence for place, sentence in wrong.items()}
    return items, errors


def _is_usual(field: Field, value: Any) -> bool:
    if value in ("", [], {}) and not field.nullable and field.type != "group":
        return field.is_secret or field.type == "number" or not field.default
    if field.required:
        return False if value is not None else not field.nullable
    return bool(value == _read(field, _write(field, field.default, "-"), "-")[0])


def _list(fields: Collection[Field], typed: Typed, wanted: str, name: str) -> Field | None:
    """Return the list whose name is `wanted`, among `fields` or inside an item that there is."""
    for field in fields:
        inner = f"{name}-{field.name}"
        if field.type == "list" and inner == wanted:
            return field
        below = [inner] if field.type == "group" else [f"{inner}-{index}" for index in indices(typed, inner)]
        for one in below:
            if field.fields and wanted.startswith(f"{one}-"):
                return _list(field.fields, typed, wanted, one)
    return None
