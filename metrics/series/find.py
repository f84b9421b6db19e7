"""Finding the series that a query means, with their metadata."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db import connection

from metrics import schedule
from metrics.models import Sample, Series, Source

SERIES_MOST = 1000
"""Of one query: a label that exploded makes its own widget poor, and not everyone's page slow."""

_SERIES, _SOURCES = Series._meta.db_table, Source._meta.db_table
_FIELDS = """s.id, s.metric, s.labels, s.unit, s.type, s.expected_every_s, s.expires_after_s, s.ahead_s, s.ended_at_ms,
    s.revision, o.every_s, o.cron, o.time_zone"""
QUERIES_MANY = 50
"""So many queries of one metric have all of its series read once; fewer are each a question to the database."""
UNKNOWN_EVERY_S = 300
"""So often samples are expected of which nobody says how often they come."""
_SAMPLES = Sample._meta.db_table
_EXPECTED = "s.ended_at_ms IS NULL AND (o.id IS NULL OR (o.enabled AND o.deleted_at IS NULL))"
_FROM = f"{_SERIES} s LEFT JOIN {_SOURCES} o ON o.id = s.source_id"


@dataclass(frozen=True, slots=True)
class Query:
    """Which series: a metric, and label values they must have; an empty value means not to have the label.

    Of a list of values, they must have one.
    """

    metric: str
    labels: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def matches(self, metric: str, labels: Mapping[str, str]) -> bool:
        return metric == self.metric and all(
            labels.get(name, "") == value if isinstance(value, str) else labels.get(name, "") in value
            for name, value in self.labels.items()
        )


class Matching:
    """Queries of one metric, by their places. Those that match a series are found by its labels."""

    def __init__(self, queries: Iterable[tuple[int, Query]]) -> None:
        self._queries = dict(queries)
        self._by_labels: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
        for place, query in self._queries.items():
            exact = sorted(_given(query).items())
            names, values = tuple(name for name, _ in exact), tuple(value for _, value in exact)
            self._by_labels.setdefault(names, {}).setdefault(values, []).append(place)

    def matching(self, metric: str, labels: Mapping[str, str]) -> Iterator[int]:
        """Yield the places of the queries that match."""
        for names, by_values in self._by_labels.items():
            for place in by_values.get(tuple(labels.get(name, "") for name in names), ()):
                if self._queries[place].matches(metric, labels):
                    yield place


@dataclass(frozen=True, slots=True)
class Found:
    """A series that a query means.

    A sample counts from its own time on, and `ahead_s` seconds earlier if the sender's clock is ahead by so much.
    `schedule` is how its source runs: seconds between two runs, or cron and its time zone. The rest is as in `Series`.
    """

    pk: int
    metric: str
    labels: Mapping[str, str]
    unit: str
    type: str
    expected_every_s: float | None
    expires_after_s: float | None
    ahead_s: float
    ended_at_ms: int | None
    revision: int
    schedule: tuple[int | None, str, str] | None

    def said_every_s(self, at: float) -> float | None:
        """Return how many seconds apart samples should come, as far as somebody said; `at` is Unix seconds."""
        if self.expected_every_s or self.schedule is None:
            return self.expected_every_s
        every_s, cron, time_zone = self.schedule
        return Source(every_s=every_s, cron=cron, time_zone=time_zone).expected_every_s(at)

    def until_ms(self, at: float) -> int:
        """Return up to which time its samples count at `at` (Unix seconds); a millisecond later they do not."""
        return round((at + self.ahead_s) * 1000)


def find(queries: Sequence[Query], hidden: Collection[int] = (), most: int | None = SERIES_MOST) -> list[list[Found]]:
    """Return the series that match each query, the oldest `most` of them or all, in a stable order.

    Those of the sources `hidden` (ids) are left out.
    """
    found: list[list[Found]] = [[] for _ in queries]
    counts = Counter(one.metric for one in queries)
    few = [place for place, one in enumerate(queries) if counts[one.metric] < QUERIES_MANY]
    ask = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    if few:
        for number, *row in ask([queries[place] for place in few], sorted(hidden), most):
            found[few[number]].append(_found(*row))
    for metric in (metric for metric, count in counts.items() if count >= QUERIES_MANY):
        matching = Matching((place, one) for place, one in enumerate(queries) if one.metric == metric)
        for one in _of_metric(metric, sorted(hidden)):
            for place in matching.matching(metric, one.labels):
                if most is None or len(found[place]) < most:
                    found[place].append(one)
    return found


def of_ids(ids: Collection[int], hidden: Collection[int] = ()) -> list[Found]:
    """Return the series with these ids that there still are, but for those of the sources `hidden` (ids)."""
    if not ids:
        return []
    places = ", ".join(["%s"] * len(ids))
    sql = f"SELECT {_FIELDS} FROM {_FROM} WHERE s.id IN ({places}) {_not_of(sorted(hidden))}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*ids, *sorted(hidden)])
        return [_found(*row) for row in cursor.fetchall()]


def of_source(source: int, most: int) -> list[Found]:
    """Return the first `most` series that came from `source`, by metric."""
    sql = f"SELECT {_FIELDS} FROM {_FROM} WHERE s.source_id = %s ORDER BY s.metric, s.id LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [source, most])
        return [_found(*row) for row in cursor.fetchall()]


def expected(most: int) -> list[Found]:
    """Return `most` series or so, spread over all, of which somebody said how often their samples should come."""
    which = """s.ended_at_ms IS NULL AND (o.id IS NULL OR o.enabled)
        AND (s.expected_every_s IS NOT NULL OR o.every_s IS NOT NULL OR o.cron <> '')"""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_FROM} WHERE {which}")
        every_nth = 1 + cursor.fetchone()[0] // most
        cursor.execute(f"SELECT {_FIELDS} FROM {_FROM} WHERE {which} AND s.id % {every_nth} = 0")
        return [_found(*row) for row in cursor.fetchall()]


def silent(at: float, hidden: Collection[int], most: int) -> list[tuple[Found, int | None, str]]:
    """Return the first `most` series that sent nothing lately, as of `at` (Unix seconds), each with its source.

    Each should have sent by then, as far as that is known without a look at its calendar; those that nobody expects any
    more are left out, and so are those of the sources `hidden` (ids). A series without a source has None and "".
    """
    every_s = f"COALESCE(s.expected_every_s, o.every_s, {UNKNOWN_EVERY_S})"
    since_ms = f"%s - 1000 * ({schedule.LATE_INTERVALS} * {every_s} + {schedule.LATENESS_GRACE_S} - s.ahead_s)"
    sql = f"""
        SELECT o.id, o.name, {_FIELDS} FROM {_FROM} WHERE {_EXPECTED} {_not_of(sorted(hidden))} AND NOT EXISTS (
            SELECT 1 FROM {_SAMPLES} y WHERE y.series_id = s.id AND y.at_ms <= %s AND y.at_ms >= {since_ms})
        ORDER BY s.id LIMIT {most}"""
    at_ms = round(at * 1000)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*sorted(hidden), at_ms, at_ms])
        return [(_found(*row), pk, name or "") for pk, name, *row in cursor.fetchall()]


def counts_of(sources: Collection[int]) -> dict[int, int]:
    """Return how many series each of `sources` (ids) is expected to send."""
    if not sources:
        return {}
    places = ", ".join(["%s"] * len(sources))
    sql = f"SELECT o.id, count(*) FROM {_FROM} WHERE {_EXPECTED} AND o.id IN ({places}) GROUP BY o.id"
    with connection.cursor() as cursor:
        cursor.execute(sql, list(sources))
        return dict(cursor.fetchall())


def _found(*row: Any) -> Found:
    """Make a series of the values of `_FIELDS`; without a source, its schedule is None."""
    pk, metric, labels, *rest = row[:-3]
    details: tuple[Any, ...] = (*rest, None if row[-2] is None else row[-3:])
    return Found(pk, metric, json.loads(labels) if isinstance(labels, str) else labels, *details)


def _of_metric(metric: str, hidden: list[int]) -> Iterator[Found]:
    sql = f"SELECT {_FIELDS} FROM {_FROM} WHERE s.metric = %s {_not_of(hidden)} ORDER BY s.id"
    with connection.cursor() as cursor:
        cursor.execute(sql, [metric, *hidden])
        while rows := cursor.fetchmany(SERIES_MOST):
            yield from (_found(*row) for row in rows)


def _on_postgresql(queries: Sequence[Query], hidden: list[int], most: int | None) -> list[tuple[Any, ...]]:
    """Ask everything at once, each query by the index on metrics."""
    one_of = """AND NOT EXISTS (
                SELECT 1 FROM jsonb_each(q.several) e(name, one_of)
                WHERE NOT e.one_of ? coalesce(s.labels ->> e.name, ''))"""
    sql = f"""
        SELECT q.number - 1, found.* FROM unnest(%s::text[], %s::jsonb[], %s::jsonb[], %s::jsonb[])
            WITH ORDINALITY q(metric, given, absent, several, number)
        CROSS JOIN LATERAL (
            SELECT {_FIELDS} FROM {_FROM} WHERE s.metric = q.metric AND s.labels @> q.given
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(q.absent) a(name) WHERE s.labels ? a.name)
            {one_of if any(map(_several, queries)) else ""}
            {_not_of(hidden)} ORDER BY s.id {_first(most)}) found
        ORDER BY 1, 2"""
    labels = [[json.dumps(part(one)) for one in queries] for part in (_given, _absent, _several)]
    with connection.cursor() as cursor:
        cursor.execute(sql, [[one.metric for one in queries], *labels, *hidden])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _on_sqlite(queries: Sequence[Query], hidden: list[int], most: int | None) -> Iterator[tuple[Any, ...]]:
    for number, query in enumerate(queries):
        given, absent, several = _given(query), _absent(query), _several(query)
        labels = " AND json_extract(s.labels, %s) = %s" * len(given)
        labels += " AND json_extract(s.labels, %s) IS NULL" * len(absent)
        for values in several.values():
            labels += f" AND coalesce(json_extract(s.labels, %s), '') IN ({', '.join(['%s'] * len(values))})"
        paths = [
            *chain(*((_path(name), value) for name, value in given.items())),
            *map(_path, absent),
            *chain(*((_path(name), *values) for name, values in several.items())),
        ]
        which = f"s.metric = %s{labels} {_not_of(hidden)}"
        sql = f"SELECT {_FIELDS} FROM {_FROM} WHERE {which} ORDER BY s.id {_first(most)}"
        with connection.cursor() as cursor:
            cursor.execute(sql, [query.metric, *paths, *hidden])
            yield from ((number, *row) for row in cursor.fetchall())


def _first(most: int | None) -> str:
    return "" if most is None else f"LIMIT {most}"


def _not_of(hidden: list[int]) -> str:
    """Return the condition that leaves out the series of the sources `hidden`, whose ids are its parameters."""
    places = ", ".join(["%s"] * len(hidden))
    return f"AND (s.source_id IS NULL OR s.source_id NOT IN ({places}))" if hidden else ""


def _given(query: Query) -> dict[str, str]:
    return {name: value for name, value in query.labels.items() if isinstance(value, str) and value}


def _absent(query: Query) -> list[str]:
    return [name for name, value in query.labels.items() if value == ""]


def _several(query: Query) -> dict[str, list[str]]:
    return {name: list(value) for name, value in query.labels.items() if not isinstance(value, str)}


def _path(label: str) -> str:
    return f'$."{label}"'
