"""Has samples of some hours come, as fast as can be, and prints what they take on the disk as JSON.

Each entry is how many there are of something, and how many bytes they take. Run by `benchmarks.history`.
"""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django

django.setup()

from django.db import connection

from metrics.series.keep import pack, prune, roll

HOUR_MS = 3_600_000
BEGIN_MS = 1_795_176_000_000
PORTION_MS = 2 * HOUR_MS
SERIES = """
    INSERT INTO metrics_series (key, metric, labels, unit, type, ahead_s, revision, created_at)
    SELECT md5(i::text) || md5('x' || i), 'disk', jsonb_build_object('host', i::text), '', '', 0, 0, now()
    FROM generate_series(1, %s) i"""
SAMPLES = """
    INSERT INTO metrics_sample (series_id, at_ms, value)
    SELECT s.id, t * 10000::bigint + (random() * 30)::int,
        CASE WHEN s.id %% 2 = 0 THEN round((50 + 20 * sin(t / 50.0) + random())::numeric, 2)::float8
        ELSE 50 + 20 * sin(t / 50.0) + random() END
    FROM generate_series(%s / 10000, %s / 10000 - 1) t, metrics_series s ORDER BY t, s.id"""
TABLES = {
    "samples as rows": ("metrics_sample", "count(*)"),
    "samples in chunks": ("metrics_chunk", "sum(count)"),
    "minutes as rows": ("metrics_minuterollup", "count(*)"),
    "minutes in chunks": ("metrics_minutechunk", "sum(count)"),
    "hours": ("metrics_hourrollup", "count(*)"),
}


def execute(sql: str, arguments: list[int] | None = None) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall() if cursor.description else []


def weigh() -> dict[str, tuple[int, int]]:
    found = {
        what: execute(f"SELECT COALESCE({count}, 0), pg_total_relation_size('{table}') FROM {table}")[0]
        for what, (table, count) in TABLES.items()
    }
    rows, chunks = found["samples as rows"], found["samples in chunks"]
    every = (rows[0] + chunks[0], rows[1] + chunks[1])
    return {"samples that are kept, in all": (int(every[0]), int(every[1]))} | {
        what: (int(count), int(size)) for what, (count, size) in found.items()
    }


def main(series: int, hours: int) -> None:
    execute(SERIES, [series])
    roll(BEGIN_MS / 1000)
    for begin_ms in range(BEGIN_MS, BEGIN_MS + hours * HOUR_MS, PORTION_MS):
        execute(SAMPLES, [begin_ms, begin_ms + PORTION_MS])
        now = (begin_ms + PORTION_MS) / 1000
        for job in (roll, pack, prune):
            job(now)
        for table, _ in TABLES.values():
            execute(f"VACUUM {table}")
    print(json.dumps(weigh()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
