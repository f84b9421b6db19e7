"""Samples and buckets put together to longer buckets, by the database."""

from dataclasses import dataclass

from metrics.models import HourRollup, MinuteRollup, Sample
from metrics.series import growth


@dataclass(frozen=True, slots=True)
class Rows:
    """A table, and SQL for what a row x of it tells. A sample is a bucket of one, and did not grow inside."""

    table: str
    count: str
    sum: str
    min: str
    max: str
    last: str
    last_at_ms: str
    first: str
    first_at_ms: str
    growth: str


def _buckets(table: str, first: str, grown: str) -> Rows:
    ends = ("x.last", "x.at_ms + x.last_after_ms", first, "x.at_ms + x.first_after_ms")
    return Rows(table, "x.count", "x.sum", "x.min", "x.max", *ends, grown)


SAMPLES = Rows(
    Sample._meta.db_table,
    count="1",
    sum="x.value",
    min="x.value",
    max="x.value",
    last="x.value",
    last_at_ms="x.at_ms",
    first="x.value",
    first_at_ms="x.at_ms",
    growth="0.0",
)
MINUTES = _buckets(MinuteRollup._meta.db_table, growth.SQL_FIRST, growth.SQL_GROWTH)
HOURS = _buckets(HourRollup._meta.db_table, growth.SQL_FIRST, growth.SQL_GROWTH)
KNOWN_MINUTES = _buckets(MinuteRollup._meta.db_table, "x.first", "x.growth")
"""Minutes without guesses: an hour with one that does not know its growth does not know its own."""


def sql(rows: Rows, where: str, start_ms: int, step_ms: int, *, whole: bool, source: str = "") -> str:
    """Return the SELECT that puts the `rows` that match `where` into steps of `step_ms`, numbered from `start_ms`.

    Its columns are series_id, number, n, total, low and high; if `whole`, also last, last_at_ms, first, first_at_ms and
    grown. `source` stands for the table in FROM, with x in it.
    """
    number = f"(x.at_ms - {start_ms}) / {step_ms}"  # towards zero, so nothing may be before `start_ms`
    source = source or f"{rows.table} x"
    if not whole:
        return f"""
            SELECT x.series_id, {number} AS number, sum({rows.count}) AS n, sum({rows.sum}) AS total,
                min({rows.min}) AS low, max({rows.max}) AS high
            FROM {source} WHERE {where} GROUP BY 1, 2"""
    return f"""
        SELECT g.series_id, g.number, sum(g.n) AS n, sum(g.total) AS total, min(g.low) AS low, max(g.high) AS high,
            max(CASE WHEN g.after = g.number THEN NULL ELSE g.last END) AS last, max(g.last_at_ms) AS last_at_ms,
            max(CASE WHEN g.before = g.number THEN NULL ELSE g.first END) AS first, min(g.first_at_ms) AS first_at_ms,
            CASE WHEN count(g.grown) = count(*) THEN sum(g.grown + CASE WHEN g.before = g.number
                THEN {growth.sql_rise("g.last_before", "g.first")} ELSE 0 END) END AS grown
        FROM (
            SELECT x.series_id, {number} AS number, {rows.count} AS n, {rows.sum} AS total, {rows.min} AS low,
                {rows.max} AS high, {rows.last} AS last, {rows.last_at_ms} AS last_at_ms,
                {rows.first} AS first, {rows.first_at_ms} AS first_at_ms, {rows.growth} AS grown,
                lag({number}) OVER w AS before, lead({number}) OVER w AS after, lag({rows.last}) OVER w AS last_before
            FROM {source} WHERE {where} WINDOW w AS (PARTITION BY x.series_id ORDER BY x.at_ms)) g
        GROUP BY 1, 2"""
