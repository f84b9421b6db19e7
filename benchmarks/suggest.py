"""How long suggestions of series take while somebody types, with 100,000 series, on PostgreSQL and on SQLite.

The whole system runs, and the web process is asked over HTTP, as the field of a form does after each key. The yardstick
is the bare query that looks for the same words in metrics and labels, without values, curves or an order.
"""

import argparse
import http.client
import time
from collections.abc import Sequence
from contextlib import nullcontext
from urllib.parse import urlencode

from benchmarks import postgresql
from benchmarks.common import milliseconds, percentile, table
from benchmarks.history import session
from benchmarks.system import System

METRICS = 100
TYPED = (
    "",
    "c",
    "cp",
    "cpu",
    "cpu w",
    "cpu web-1",
    "cpu web-12",
    "web",
    "web-777",
    "disk rack-3",
    "host=web-5 net",
    "no",
)
FILL = """
import time
from django.db import connection
from metrics.models import Series
from metrics.sample import series_key
parts = ("cpu_percent", "memory_bytes", "disk_bytes", "net_bytes_total", "load")
every = []
for number in range({series}):
    metric, host = f"app_{{number % {metrics}}}_{{parts[number % 5]}}", number // {metrics}
    labels = {{"host": f"web-{{host}}", "rack": f"rack-{{host % 40}}"}}
    every.append(Series(key=series_key(metric, labels), metric=metric, labels=labels, unit="bytes"))
Series.objects.bulk_create(every, batch_size=2000)
now = int(time.time() * 1000)
values = ", ".join(f"({{now - 300_000 * n}}, {{50 + n}})" for n in range(12))
with connection.cursor() as cursor:
    cursor.execute("INSERT INTO metrics_sample (series_id, at_ms, value) "
        f"SELECT s.id, v.column1, v.column2 FROM metrics_series s CROSS JOIN (VALUES {{values}}) v "
        "WHERE s.metric LIKE 'app_%'")
"""
YARDSTICK = """
import time
from django.db import connection
took = []
text = "lower(metric || cast(labels AS text)) LIKE %s"
with connection.cursor() as cursor:
    for typed in {typed!r} * {times}:
        words = [f"%{{word}}%" for word in typed.replace("host=", "").split()]
        which = " AND ".join([text] * len(words)) or "TRUE"
        began = time.perf_counter()
        cursor.execute(f"SELECT metric, count(*) FROM metrics_series WHERE {{which}} GROUP BY metric", words)
        cursor.fetchall()
        took.append(time.perf_counter() - began)
print(took)
"""


def asked(system: System, cookie: str, typed: str) -> float:
    """Return how long the suggestions for `typed` took, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=60)
    began = time.perf_counter()
    connection.request(
        "GET", f"/series/suggest/?{urlencode({'q': typed})}", headers={"Cookie": cookie, "HX-Request": "true"}
    )
    response = connection.getresponse()
    body = response.read()
    took = time.perf_counter() - began
    connection.close()
    assert response.status == 200, body[:200]
    assert typed == "no" or body.count(b'role="option"') == 12, (typed, body.count(b'role="option"'))
    return took


def measured(name: str, url: str | None, series: int, times: int) -> list[str]:
    limits = {"SERIES_TOTAL": "1000000", "SERIES_PER_SOURCE": "1000000"}
    with System(**limits, **({"DATABASE_URL": url} if url else {})) as system:
        system.manage("shell", "-v0", "-c", FILL.format(series=series, metrics=METRICS))
        cookie = session(system)
        first = asked(system, cookie, "cpu")
        before = system.usage_of("web").cpu_s
        found = [asked(system, cookie, typed) for _ in range(times) for typed in TYPED]
        cpu_s = (system.usage_of("web").cpu_s - before) / len(found)
        printed = system.manage("shell", "-v0", "-c", YARDSTICK.format(typed=list(TYPED), times=times))
    bare = [float(one) for one in printed.strip().rpartition("\n")[2].strip("[]").split(",")]
    p95, bare_p95 = percentile(found, 95), percentile(bare, 95)
    shown = (first, percentile(found, 50), p95, cpu_s, percentile(bare, 50), bare_p95)
    return [name, *map(milliseconds, shown), f"{p95 / bare_p95:.2f}"]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks suggest", description=__doc__)
    parser.add_argument("--series", type=int, default=100_000, help="how many there are (%(default)s)")
    parser.add_argument("--times", type=int, default=10, help="rounds of all that is typed (%(default)s)")
    parser.add_argument("--full", action="store_true", help="nothing larger")
    chosen = parser.parse_args(arguments)
    rows = []
    for name, server in (("PostgreSQL", postgresql.server()), ("SQLite", nullcontext())):
        with server as url:
            rows.append(measured(name, url, chosen.series, chosen.times))
    headers = [
        "database",
        "first (ms)",
        "p50 (ms)",
        "p95 (ms)",
        "CPU of each (ms)",
        "bare query p50 (ms)",
        "bare query p95 (ms)",
        "p95, ratio",
    ]
    table(f"Suggestions among {chosen.series:,} series, one web process", headers, rows)
