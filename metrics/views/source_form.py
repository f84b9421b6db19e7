"""The form of a config: from a config to entries, and from what was typed into them to a config. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.views.source_fields import Field, Schema, fields

PREFIX = "config-"
REMOVE = "remove-"
UNITS = {"_s": "seconds", "_ms": "milliseconds", "_bytes": "bytes", "_days": "days", "_percent": "percent"}
WORDS = {name.lower(): name for name in ("URL", "JSON", "SQL", "DNS", "TLS", "HTTP", "ID", "IP", "CA")}
ROWS = {"long": 6, "lines": 3, "pairs": 3, "json": 5}
ROWS_MOST = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the form.

    `type` says how it is drawn: text, long, number, checkbox, select, lines, pairs or json; a credential `is_secret`.
    `name` is that of the input, `value` what stands in it, and a checkbox may be `checked`. `label` and `help` are for
    people. `least` and `most` bound a number; `options` are what a select offers; `rows` the lines of what has some.
    Of a credential, `is_set` says whether there is one, and `removable` whether that may be removed. `error` is a
    sentence, empty if nothing is wrong; what is `required` has to be given.
    """

    name: str
    type: str
    label: str
    help: str
    value: str
    checked: bool
    required: bool
    options: tuple[str, ...]
    least: float | None
    most: float | None
    rows: int
    is_secret: bool
    is_set: bool
    removable: bool
    error: str


def entries(
    schema: Schema,
    config: Mapping[str, Any],
    kept: Iterable[str] = (),
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Return the form of a `config`; `kept` names its credentials, `errors` are sentences by field.

    What has to be given comes first. With `typed`, that stands in it instead. Credentials are never shown again, not
    even those just typed.
    """
    kept = set(kept)
    return [
        _entry(
            field,
            field.write(config.get(field.name, field.default)) if typed is None else typed.get(PREFIX + field.name, ""),
            is_set=field.name in kept,
            error=(errors or {}).get(field.name, ""),
        )
        for field in sorted(fields(schema), key=lambda field: not field.required)
    ]


def _entry(field: Field, written: str, *, is_set: bool, error: str) -> Entry:
    value = "" if field.is_secret else written
    return Entry(
        name=PREFIX + field.name,
        type=field.type,
        label=label(field.name),
        help=field.help,
        value=value,
        checked=field.type == "checkbox" and bool(value),
        required=field.required,
        options=field.options,
        least=field.schema.get("minimum", field.schema.get("exclusiveMinimum")),
        most=field.schema.get("maximum", field.schema.get("exclusiveMaximum")),
        rows=min(ROWS_MOST, max(ROWS[field.type], value.count("\n") + 2)) if field.type in ROWS else 0,
        is_secret=field.is_secret,
        is_set=is_set,
        removable=is_set and not field.required,
        error=error,
    )


def parse(
    schema: Schema, typed: Mapping[str, str], before: Iterable[str] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the config that was `typed`, and a sentence for each field that can't be read.

    What is left at its default is left out, unless it is one of `before`: what the config said until now.
    """
    config: dict[str, Any] = {}
    errors: dict[str, str] = {}
    before = set(before)
    for field in fields(schema):
        try:
            value = field.read(typed.get(PREFIX + field.name, ""))
        except ValueError as problem:
            errors[field.name] = str(problem)
            continue
        if field.is_secret and typed.get(REMOVE + field.name):
            config[field.name] = ""
        elif not _goes_without_saying(field, value, field.name in before):
            config[field.name] = value
    return config, errors


def _goes_without_saying(field: Field, value: Any, was_said: bool) -> bool:
    if value in ("", [], {}):
        return field.is_secret or field.type == "number" or not field.default
    return not was_said and str(value) == str(field.default)


def label(name: str) -> str:
    """Return the name of a field as people write it: `timeout_s` is "Timeout, seconds"."""
    for ending, unit in UNITS.items():
        if name.endswith(ending) and name != ending:
            return f"{label(name.removesuffix(ending))}, {unit}"
    first, *others = [WORDS.get(word, word) for word in name.split("_")]
    return " ".join([first[:1].upper() + first[1:], *others])
