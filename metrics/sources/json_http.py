"""Fetches a JSON document and picks values out of it with JMESPath."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import httpx
from msgspec import structs
from pydantic import Field, field_validator, model_validator

from metrics.sample import Sample
from metrics.sources import fetch, jmespath_values
from metrics.sources.base import Noted, SourceError, SourceKind, first_of
from metrics.sources.databases.table import VALUE, Table, Unreadable, samples
from metrics.sources.fields import Unit, check_metrics, type_by_name
from metrics.sources.http_config import HttpConfig

BODY_MOST_BYTES = 4 * 1024 * 1024
ROWS_MOST = 5000


class JsonHttpConfig(HttpConfig):
    """Settings of a JSON source: the request, and the values to pick."""

    method: Literal["GET", "POST"] = Field(default="GET", description="How to request it.")
    body: str = Field(default="", max_length=10_000, description="The body to send, as JSON; with POST.")
    values: dict[str, str] = Field(
        min_length=1, max_length=50, description="Metric -> expression that finds a number, or objects."
    )
    units: dict[str, Unit] = Field(default_factory=dict, max_length=100, description="Metric -> unit.")

    @field_validator("values")
    @classmethod
    def _can_be_followed(cls, values: dict[str, str]) -> dict[str, str]:
        check_metrics(values)
        for expression in values.values():
            jmespath_values.compile(expression)
        return values

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.body and self.method == "GET":
            raise ValueError("body can't be sent with GET")
        strange = [unit for unit in self.units if not any(f"{unit}_".startswith(f"{one}_") for one in self.values)]
        if strange:
            raise ValueError(f"units names {strange[0]}, which is not among values")
        return self


class JsonHttp(SourceKind[JsonHttpConfig]):
    """Values out of a JSON document."""

    kind = "json_http"
    config_class = JsonHttpConfig

    def collect(self, config: JsonHttpConfig) -> Noted:
        document = fetch.run(config, lambda client: _document(client, config))
        found, notes, problems = list[Sample](), list[str](), list[SourceError]()
        for metric, expression in config.values.items():
            try:
                picked = _picked(metric, expression, document, config)
            except SourceError as problem:
                problems.append(problem)
            else:
                found += picked
                notes.append(picked.note)
        if problems:
            raise SourceError(first_of(problems), found)
        if not found:
            raise SourceError(f"{config.where} has nothing where values are looked for.")
        return Noted(found, " ".join(filter(None, notes)))


async def _document(client: httpx.AsyncClient, config: JsonHttpConfig) -> Any:
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if config.body else {})
    content = config.body.encode() or None
    answer = await fetch.fetch(client, config, BODY_MOST_BYTES, method=config.method, headers=headers, content=content)
    try:
        return jmespath_values.document(fetch.good(answer, config).body)
    except jmespath_values.NoValue as problem:
        raise SourceError(f"{config.where} answered something that {problem}.") from None


def _picked(metric: str, expression: str, document: Any, config: JsonHttpConfig) -> Noted:
    """Return the samples of one metric; none, if there is nothing in its place. Raises SourceError for what is none."""
    try:
        value = jmespath_values.follow(expression, document)
        found = _samples(metric, value, config.units)
    except (jmespath_values.NoValue, SourceError) as problem:
        raise SourceError(f"values.{metric}: {str(problem).rstrip('.')}.") from None
    note = f"values.{metric}: {found.note}" if found.note else ""
    return Noted((structs.replace(one, type=type_by_name(one.metric)) for one in found), note)


def _can_be_stored(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _samples(metric: str, value: Any, units: Mapping[str, str]) -> Noted:
    if value is None or value == []:
        return Noted([], "")
    if isinstance(value, str):
        raise SourceError("it finds text, not a number; to_number(…) around it makes one of what looks like one.")
    if isinstance(value, int | float) and not _can_be_stored(value):
        raise SourceError("it finds a number that can't be stored: too large, or none at all.")
    rows = value if isinstance(value, list) else [value if isinstance(value, dict) else {VALUE: value}]
    if len(rows) > ROWS_MOST:
        raise SourceError(f"it finds more than {ROWS_MOST} objects.")
    objects = [row for row in rows if isinstance(row, dict)]
    if not objects:
        raise SourceError("it finds a list of something else than objects.")
    columns = list(dict.fromkeys(column for one in objects for column in one))
    table = Table(columns, [_row(row, columns) for row in rows])
    named = {column: metric + column.removeprefix(VALUE) for column in columns if column.startswith(VALUE)}
    return samples(table, metric, {column: units[name] for column, name in named.items() if name in units})


def _row(found: Any, columns: Sequence[str]) -> Sequence[Any] | Unreadable:
    return [found.get(column) for column in columns] if isinstance(found, dict) else Unreadable("no object")
