"""Parts of the benchmark `alerts` that run in a process of the system: what they return is printed as JSON."""

import cProfile
import json
import pstats
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

from django.db import connection
from django.utils import timezone

from metrics.access.principal import SYSTEM
from metrics.actions import evaluation, rehearsals, rule_index, samples
from metrics.actions.rules import checked
from metrics.models import Alert, MinuteChunk, Rule, Series
from metrics.redis_state import arrived
from metrics.sample import Sample, series_key
from metrics.series import keep, step_cache

EVERY_S = 10
ABOVE = {"kind": "threshold", "above": 1e9}
BATCH = 1000

mock.patch("metrics.redis_state.arrived.wake", return_value=None).start()


def told(found: Any) -> None:
    """Print a result on a line of its own."""
    print("RESULT", json.dumps(found), flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds and the seconds of this process' CPU that `work` took."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def profiled(work: Callable[[], Any], most: int = 45) -> None:
    """Print where the time of `work` goes."""
    profile = cProfile.Profile()
    profile.runcall(work)
    pstats.Stats(profile).sort_stats("tottime").print_stats(most)


def rules(count: int, metric: str, query: dict[str, Any], condition: dict[str, Any] = ABOVE) -> None:
    """Make `count` rules, each on the series of its own host."""
    Rule.objects.all().delete()
    made = []
    for number in range(count):
        document = {
            "name": f"{metric} {number}",
            "query": {"metric": metric, "labels": {"host": f"h{number}"}, **query},
            "condition": condition,
        }
        spec = checked(document)
        written = spec.model_dump(by_alias=True, exclude_defaults=True, exclude={"name", "enabled"})
        made.append(Rule(name=spec.name, metric=metric, spec=written, version=spec.version, severity="warning"))
    Rule.objects.bulk_create(made, batch_size=2000)
    rule_index.forget()


SAMPLES = """
    INSERT INTO metrics_sample (series_id, at_ms, value) SELECT id, %s, %s FROM metrics_series WHERE metric = %s"""
MINUTES = """
    INSERT INTO metrics_minuterollup (series_id, at_ms, count, sum, min, max, last, last_after_ms, first,
        first_after_ms, growth)
    SELECT s.id, t * 60000::bigint, 6, 6 * v, v - 2, v + 2, v, 59000, v, 0, 0
    FROM generate_series(%s, %s - 1) t, metrics_series s, LATERAL (SELECT 50 + 40 * sin(t / 150.0)) l(v)
    WHERE s.metric = %s ORDER BY t"""
PROGRESS = """
    INSERT INTO metrics_progress (name, until_ms, series_id) VALUES (%s, %s, 0)
    ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms"""


def fresh() -> None:
    """Have nothing stored, and nothing waiting."""
    execute("TRUNCATE metrics_series, metrics_rule, metrics_minutechunk CASCADE")
    rule_index.forget()
    arrived.take()
    arrived.done()
    arrived.looked_back()


def execute(sql: str, *arguments: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)


def series(metric: str, count: int, type: str = "gauge") -> None:
    """Make `count` series of a metric, one a host."""
    made = []
    for number in range(count):
        labels = {"host": f"h{number}"}
        key = series_key(metric, labels)
        made.append(Series(key=key, metric=metric, labels=labels, type=type, expected_every_s=EVERY_S))
    Series.objects.bulk_create(made, batch_size=2000)


def push(metric: str, at: float, value: float) -> None:
    """Store one sample of each series of a metric, as if it had come."""
    execute(SAMPLES, round(at * 1000), value, metric)
    following = rule_index.by_metric().get(metric, rule_index.NONE)
    arrived.add({one.pk: round(at * 1000) for one in Series.objects.filter(metric=metric) if following.following(one)})


def look(count: int, sweeps: int, profile: bool = False) -> None:
    """Look at `count` rules on the rates of `count` series, which have new samples before each sweep."""
    fresh()
    series("bench_total", count, "counter")
    rules(count, "bench_total", {"function": "rate", "over": "1m"})
    now = time.time() // EVERY_S * EVERY_S
    for n in range(-12, 0):
        push("bench_total", now + EVERY_S * n, 1e4 + 10 * n)
    execute("ANALYZE")
    took = []
    for n in range(sweeps):
        push("bench_total", now + EVERY_S * n, 1e4 + 10 * n)
        took.append([*evaluated(now + EVERY_S * n), *timed(partial(evaluation.look, now + EVERY_S * n + 1))])
    sql = "SELECT series_id, max(value) - min(value) FROM metrics_sample WHERE at_ms > %s GROUP BY series_id"
    with connection.cursor() as cursor:
        bare = timed(lambda: (cursor.execute(sql, [round((now - 60) * 1000)]), cursor.fetchall()))
    told({"sweeps": took, "bare": bare})
    if profile:
        push("bench_total", now + EVERY_S * sweeps, 1e4 + 10 * sweeps)
        evaluated(now + EVERY_S * sweeps)
        profiled(partial(evaluation.look, now + EVERY_S * sweeps + 1))


def evaluated(at: float) -> tuple[float, float]:
    return timed(partial(evaluation.evaluate, at))


def bad(count: int, sweeps: int, profile: bool = False) -> None:
    """Follow `count` alerts that are firing, each with a new sample."""
    fresh()
    series("bench_bad", count)
    rules(count, "bench_bad", {}, {"kind": "threshold", "above": 5})
    now = time.time() // EVERY_S * EVERY_S
    took = []
    for n in range(sweeps + 1):
        push("bench_bad", now + EVERY_S * n, 10 + n)
        took.append(evaluated(now + EVERY_S * n))
    assert Alert.objects.filter(state="firing").count() == count
    told({"sweeps": took[1:], "first": took[0]})
    if profile:
        push("bench_bad", now + EVERY_S * (sweeps + 1), 10 + sweeps)
        profiled(partial(evaluation.evaluate, now + EVERY_S * (sweeps + 1)))


def rehearse(days: int, times: int, profile: bool = False) -> None:
    """Rehearse a rule over `days` of a series with a sample each 10 s, of which minutes are held, packed."""
    fresh()
    series("bench_past", 1)
    now = time.time() // 3600 * 3600
    execute(MINUTES, round(now / 60) - days * 1440, round(now / 60), "bench_past")
    for name in ("minutes", "hours"):
        execute(PROGRESS, name, round(now * 1000))
    keep.pack(now)
    execute(SAMPLES, round(now * 1000), 50, "bench_past")
    execute("ANALYZE")
    condition = {"kind": "threshold", "above": 89}
    spec = checked({"name": "x", "query": {"metric": "bench_past"}, "condition": condition})
    zone = timezone.get_current_timezone()

    def work() -> Any:
        step_cache.forget()
        return rehearsals.rehearsed(SYSTEM, spec, (), now, zone)

    took = [timed(work) for _ in range(times)]
    with connection.cursor() as cursor:
        sql = "SELECT data FROM metrics_minutechunk"
        bare = timed(lambda: (cursor.execute(sql), cursor.fetchall()))
    told({"took": took, "bare": bare, "alerts": work().count, "chunks": MinuteChunk.objects.count()})
    if profile:
        profiled(work)


def push_in(some: list[Sample], at: float) -> None:
    """Store what a push brings at a moment, as the API does."""
    samples.accept([samples.checked(some, None, at)], at)


def ingest(count: int, batches: int) -> None:
    """Store batches of samples without rules, with `count` that concern none of them, and with `count` that do."""
    now = time.time() // EVERY_S * EVERY_S - 3600

    def stored(begin: int) -> float:
        """Return how many seconds of CPU so many batches took."""
        of_all = 0.0
        for n in range(batches):
            at = now + begin + n
            some = [Sample("bench_in", float(n), {"host": f"h{number}"}, at) for number in range(BATCH)]
            of_all += timed(partial(push_in, some, at))[1]
        return of_all

    fresh()
    stored(0)
    found: dict[str, list[float]] = {"none": [], "others": [], "concerned": []}
    for turn in range(5):
        Rule.objects.all().delete()
        rule_index.forget()
        found["none"].append(stored(1000 * turn + 100))
        rules(count, "bench_other", {})
        rule_index.by_metric()
        found["others"].append(stored(1000 * turn + 300))
        rules(count, "bench_in", {})
        rule_index.by_metric()
        found["concerned"].append(stored(1000 * turn + 500))
        arrived.take()
        arrived.done()
    told(found)
