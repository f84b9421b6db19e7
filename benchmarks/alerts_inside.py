"""Parts of the benchmark `alerts` that run in a process of the system: what they return is printed as JSON."""

import cProfile
import json
import math
import pstats
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from django.db import connection
from django.utils import timezone

from metrics.access.principal import SYSTEM
from metrics.actions import evaluation, rehearsals, rule_index, samples
from metrics.actions.rules import checked
from metrics.models import Alert, Rule
from metrics.redis_state import arrived
from metrics.sample import Sample
from metrics.series import keep, read, step_cache

EVERY_S = 10
ABOVE = {"kind": "threshold", "above": 1e9}
DAY_S = 86_400
BATCH = 1000


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


def push(metric: str, count: int, at: float, value: float, **fields: Any) -> None:
    """Store one sample of each of `count` series."""
    found = [Sample(metric, value, {"host": f"h{number}"}, at, **fields) for number in range(count)]
    for begin in range(0, count, BATCH):
        samples.accept([samples.checked(found[begin : begin + BATCH], None, at)], at)


def look(count: int, sweeps: int, profile: bool = False) -> None:
    """Look at `count` rules on the rates of `count` series, which have new samples before each sweep."""
    arrived.looked_back()
    rules(count, "bench_total", {"function": "rate", "over": "1m"})
    now = time.time() // EVERY_S * EVERY_S
    wake = mock.patch("metrics.redis_state.arrived.wake", return_value=None)
    wake.start()
    for n in range(-7, 0):
        push("bench_total", count, now + EVERY_S * n, 1e4 + 10 * n, type="counter", expected_every_s=EVERY_S)
    took = []
    for n in range(sweeps):
        at = now + EVERY_S * n
        push("bench_total", count, at, 1e4 + 10 * n, type="counter", expected_every_s=EVERY_S)
        took.append([*timed(lambda: evaluation.evaluate(at)), *timed(lambda: evaluation.look(at + 1))])  # noqa: B023
    with connection.cursor() as cursor:
        sql = "SELECT series_id, max(value) FROM metrics_sample WHERE at_ms > %s GROUP BY series_id"
        bare = timed(lambda: (cursor.execute(sql, [round((now - 60) * 1000)]), cursor.fetchall()))
    told({"sweeps": took, "bare": bare})
    if profile:
        at = now + EVERY_S * sweeps
        push("bench_total", count, at, 1e4 + 10 * sweeps, type="counter", expected_every_s=EVERY_S)
        profiled(lambda: evaluation.evaluate(at))
        profiled(lambda: evaluation.look(at + 1))


def bad(count: int, sweeps: int, profile: bool = False) -> None:
    """Follow `count` alerts that are firing, each with a new sample."""
    arrived.looked_back()
    rules(count, "bench_bad", {}, {"kind": "threshold", "above": 5})
    now = time.time() // EVERY_S * EVERY_S
    wake = mock.patch("metrics.redis_state.arrived.wake", return_value=None)
    wake.start()
    took = []
    for n in range(sweeps + 1):
        at = now + EVERY_S * n
        push("bench_bad", count, at, 10 + n)
        took.append(timed(lambda: evaluation.evaluate(at)))  # noqa: B023
    assert Alert.objects.filter(state="firing").count() == count
    told({"sweeps": took[1:], "first": took[0]})
    if profile:
        at = now + EVERY_S * (sweeps + 1)
        push("bench_bad", count, at, 10 + sweeps)
        profiled(lambda: evaluation.evaluate(at))


def rehearse(days: int, times: int, profile: bool = False) -> None:
    """Rehearse a rule over `days` of a series with a sample each 10 s, rolled up and packed as the system does."""
    now = time.time() // 3600 * 3600
    begin = now - days * DAY_S
    for day in range(days):
        part = [
            Sample("bench_past", 50 + 40 * math.sin(n / 900), {}, begin + day * DAY_S + EVERY_S * n)
            for n in range(DAY_S // EVERY_S)
        ]
        samples.accept([samples.checked(part, None, now)], now)
    keep.roll(now)
    keep.pack(now)
    spec = checked({"name": "x", "query": {"metric": "bench_past"}, "condition": {"kind": "threshold", "above": 89}})

    def work() -> None:
        step_cache.forget()
        rehearsals.rehearsed(SYSTEM, spec, now, timezone.get_current_timezone())

    took = [timed(work) for _ in range(times)]
    (series,) = read.tracks(read.Query("bench_past"), now)
    assert series.latest
    told({"took": took})
    if profile:
        profiled(work)


def ingest(count: int, batches: int) -> None:
    """Store batches of samples without rules, with `count` that concern none of them, and with `count` that do."""
    wake = mock.patch("metrics.redis_state.arrived.wake", return_value=None)
    wake.start()
    arrived.looked_back()
    now = time.time() // EVERY_S * EVERY_S - 3600

    def stored(begin: int) -> float:
        """Return how many seconds so many batches took."""
        return timed(lambda: [push("bench_in", BATCH, now + begin + n, n) for n in range(batches)])[0]

    stored(0)
    found: dict[str, list[float]] = {"none": [], "others": [], "concerned": []}
    for turn in range(5):
        Rule.objects.all().delete()
        rule_index.forget()
        found["none"].append(stored(1000 * turn + 100))
        rules(count, "bench_other", {})
        rule_index.by_metric()
        found["others"].append(stored(1000 * turn + 300))
        Rule.objects.all().delete()
        rules(count, "bench_in", {})
        rule_index.by_metric()
        found["concerned"].append(stored(1000 * turn + 500))
        arrived.take()
        arrived.done()
    told(found)
