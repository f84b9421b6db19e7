"""A page over 30 days of 1,000 series at 10 s, and what a sample takes on the disk.

The whole system runs on PostgreSQL, its history written as rollups and then packed by the system's own code. Pages are
asked of the web process as a browser does. The yardstick is the bare query that adds up the same steps for all series
of the page, on rows.

For the disk, samples of two days go through packing and pruning two hours at a time, with a vacuum as autovacuum would
do it, and are weighed with their indexes.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from benchmarks import postgresql
from benchmarks.common import ROOT, milliseconds, percentile, table
from benchmarks.system import System

SLUG, WIDGETS = "history", 24
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
STEP_MS, LENGTH_MS = 6 * HOUR_MS, 30 * 24 * HOUR_MS
ROUNDS_MOST = 100
KINDS = ("number", "line", "bars", "status")

SERIES = """
    INSERT INTO metrics_series (key, metric, labels, unit, type, expected_every_s, ahead_s, revision, created_at)
    SELECT md5(i::text) || md5('x' || i), 'history_' || i %% %(widgets)s, jsonb_build_object('host', 'h' || i),
        'percent', 'gauge', 10, 0, 0, now() FROM generate_series(0, %(series)s - 1) i"""
ROLLUPS = """
    INSERT INTO {table} (series_id, at_ms, count, sum, min, max, last, last_after_ms, first, first_after_ms, growth)
    SELECT s.id, t * {step}::bigint, {count}, {count} * (50 + 20 * sin(t / 30.0 + s.id)), 10, 90, 50, {step} - 1,
        50, 0, 80
    FROM generate_series({begin}, {end} - 1) t, metrics_series s ORDER BY t, s.id"""
SAMPLES = """
    INSERT INTO metrics_sample (series_id, at_ms, value) SELECT s.id, t * 10000::bigint, 50 + 20 * sin(t / 30.0 + s.id)
    FROM generate_series(%(begin)s / 10000, %(end)s / 10000) t, metrics_series s
    WHERE metric LIKE 'history_%%' ORDER BY t"""
PROGRESS = ("minutes", "hours", "late", "packed", "minutes packed", "hours packed", "pruned")
LEFT = """
    SELECT (SELECT count(*) FROM metrics_minuterollup WHERE at_ms < %(now)s - 9 * 3600000::bigint)
        + (SELECT count(*) FROM metrics_hourrollup WHERE at_ms < %(now)s - 17 * 86400000::bigint)
        + (SELECT count(*) FROM metrics_progress WHERE series_id > 0 AND name LIKE '%%packed')"""
"""Rows that should have been packed, and rounds of packing that go on."""
YARDSTICK = """
    SELECT series_id, (at_ms - %(begin)s) / %(step)s, sum(sum) / sum(count) FROM metrics_hourrollup
    WHERE at_ms >= %(begin)s AND at_ms < %(end)s GROUP BY 1, 2"""


@contextmanager
def at_rest(url: str) -> Iterator[psycopg.Connection]:
    """Keep the system from rolling, packing and pruning; yields the connection that holds the progress of all that.

    A round that came while the history is written would count as packed what it did not see.
    """
    with psycopg.connect(url) as connection:
        for name in PROGRESS:
            connection.execute("INSERT INTO metrics_progress VALUES (%s, 0, 0) ON CONFLICT DO NOTHING", [name])
        connection.commit()
        connection.execute("SELECT name FROM metrics_progress FOR UPDATE")
        yield connection


def fill(url: str, series: int, times: int) -> float:
    """Write a history that ends now: hours of 62 days, minutes of two, samples of three hours.

    Return how long the yardstick takes on it, in seconds, before any of it is packed.
    """
    now_ms = int(time.time() * 1000)
    hour, minute = now_ms // HOUR_MS, now_ms // MINUTE_MS - 5
    with at_rest(url) as progress, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SERIES, {"widgets": WIDGETS, "series": series})
        hours = {"table": "metrics_hourrollup", "step": HOUR_MS, "count": 360, "begin": hour - 62 * 24, "end": hour}
        minutes = {"table": "metrics_minuterollup", "step": MINUTE_MS, "count": 6, "begin": minute - 2880}
        connection.execute(ROLLUPS.format(**hours))
        connection.execute(ROLLUPS.format(**minutes, end=minute))
        connection.execute(SAMPLES, {"begin": now_ms - 3 * HOUR_MS, "end": now_ms})
        connection.execute("VACUUM ANALYZE")
        yardstick = percentile(bare(url, times), 50)
        for name in PROGRESS:
            until_ms = {"minutes": minute * MINUTE_MS, "hours": hour * HOUR_MS}.get(name, 0)
            progress.execute(
                "UPDATE metrics_progress SET until_ms = %s, series_id = 0 WHERE name = %s", [until_ms, name]
            )
    return yardstick


def widgets(series_each: int) -> list[dict[str, Any]]:
    """Return 24 widgets of four kinds: of all series with their metric, or of one each."""
    one = [{"labels": {"host": f"h{number}"}} if series_each == 1 else {} for number in range(WIDGETS)]
    return [
        {
            "kind": KINDS[number % 4],
            "title": f"Widget {number}",
            "config": {"queries": [{"metric": f"history_{number}", **one[number]}]},
        }
        for number in range(WIDGETS)
    ]


def session(system: System) -> str:
    """Return the cookie of somebody who is signed in."""
    code = (
        "from django.contrib.auth.models import User; from django.test import Client; client = Client();"
        "client.force_login(User.objects.get(username='admin')); print(client.cookies['sessionid'].value)"
    )
    return f"sessionid={system.manage('shell', '-v0', '-c', code).split()[-1]}"


def loaded(system: System, cookie: str, path: str, times: int) -> list[float]:
    """Return how long each of so many loads of a page took, in seconds, the first as well."""
    found = []
    for _ in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=60)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        body = response.read()
        found.append(time.perf_counter() - began)
        assert response.status == 200, (response.status, body[:200])
        assert body.count(b'class="widget') >= WIDGETS
        connection.close()
    return found


def bare(url: str, times: int) -> list[float]:
    end = int(time.time() * 1000) // STEP_MS * STEP_MS
    found = []
    with psycopg.connect(url) as connection:
        for _ in range(times):
            began = time.perf_counter()
            connection.execute(YARDSTICK, {"begin": end - LENGTH_MS, "end": end, "step": STEP_MS}).fetchall()
            found.append(time.perf_counter() - began)
    return found


def pack(system: System, url: str) -> None:
    """Have all packed that is due, partly by the system's own rounds, and return when no row of it is left."""
    code = "import time; from metrics.series import pack; pack.pack(time.time())"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(ROUNDS_MOST):
            system.manage("shell", "-v0", "-c", code)
            if connection.execute(LEFT, {"now": int(time.time() * 1000)}).fetchone() == (0,):
                # Files as small as where minutes are packed all along, and two days of them were never rows at once.
                connection.execute("VACUUM (FULL, ANALYZE) metrics_minuterollup, metrics_hourrollup")
                connection.execute("VACUUM ANALYZE")
                return
    raise RuntimeError("Packing does not end.")


def pages(series: int, times: int) -> None:
    with (
        postgresql.server() as url,
        System(DATABASE_URL=url, SERIES_TOTAL="1000000", SERIES_PER_SOURCE="1000000") as system,
    ):
        yardstick = fill(url, series, times)
        pack(system, url)
        for each in (series // WIDGETS, 1):
            system.make_dashboard(f"{SLUG}-{each}", widgets(each))
        cookie = session(system)
        rows = [["the bare query for all series (yardstick)", "-", milliseconds(yardstick), "-", "-", "1.00"]]
        for each in (series // WIDGETS, 1):
            for range_ in ("30d", "7d", "24h", "1h"):
                first, *others = loaded(system, cookie, f"/d/{SLUG}-{each}/?range={range_}", times)
                p50 = percentile(others, 50)
                what = f"{range_}, {each} series a widget"
                rows.append(
                    [
                        what,
                        milliseconds(first),
                        milliseconds(p50),
                        milliseconds(percentile(others, 95)),
                        f"{first / yardstick:.2f}",
                        f"{p50 / yardstick:.2f}",
                    ]
                )
    headers = ["page of 24 widgets", "first (ms)", "p50 (ms)", "p95 (ms)", "first, ratio to yardstick", "p50, ratio"]
    table(f"Pages over {series:,} series at 10 s, one web process", headers, rows)


def disk(series: int, hours: int) -> None:
    with postgresql.server() as url:
        env = {
            **os.environ,
            "DATABASE_URL": url,
            "DATA_DIR": url.partition("host=")[2] + "-data",
            "SECRET_KEY": "bench",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
        command = [sys.executable, "-m", "benchmarks.servers.keeper", str(series), str(hours)]
        answer = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    weights: dict[str, list[float]] = json.loads(answer.splitlines()[-1])
    rows = [[what, f"{count:,.0f}", f"{size / count:.1f}" if count else "-"] for what, (count, size) in weights.items()]
    table(f"On the disk: {series} series at 10 s, {hours} h, indexes included", ["what", "of them", "bytes each"], rows)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks history", description=__doc__)
    parser.add_argument("--series", type=int, default=1000, help="series of the pages (%(default)s)")
    parser.add_argument("--times", type=int, default=30, help="loads of each page (%(default)s)")
    parser.add_argument("--disk-series", type=int, default=50, help="series that are weighed (%(default)s)")
    parser.add_argument("--disk-hours", type=int, default=56, help="hours of them (%(default)s)")
    parser.add_argument("--full", action="store_true", help="with 500 series weighed")
    chosen = parser.parse_args(arguments)
    pages(chosen.series, chosen.times)
    disk(500 if chosen.full else chosen.disk_series, chosen.disk_hours)
