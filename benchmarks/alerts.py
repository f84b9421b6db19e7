"""The cost of rules: looking at the rates of thousands of series, following alerts that fire, rehearsing, and storing.

PostgreSQL and Redis of its own, and one process that does what a worker does. The yardsticks are the bare query that
reads the same samples, the bare reading of the same chunks, and storing the same samples without any rule.
"""

import argparse
import json
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks import postgresql
from benchmarks.common import Installation, milliseconds, table

LIMITS = {"SERIES_TOTAL": "1000000", "SERIES_PER_SOURCE": "1000000"}


def measured(installation: Installation, call: str) -> Any:
    """Return what a function of `benchmarks.alerts_inside` told."""
    printed = installation.manage("shell", "-v0", "-c", f"from benchmarks import alerts_inside as a; a.{call}")
    line = next(line for line in printed.splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks alerts", description=__doc__)
    parser.add_argument("--rules", type=int, default=2000, help="looked at, a series each (%(default)s)")
    parser.add_argument("--days", type=int, default=30, help="that are rehearsed (%(default)s)")
    parser.add_argument("--times", type=int, default=5, help="rounds of each (%(default)s)")
    parser.add_argument("--full", action="store_true", help="10,000 rules")
    chosen = parser.parse_args(arguments)
    rules = 10_000 if chosen.full else chosen.rules
    with postgresql.server() as url, Installation(DATABASE_URL=url, **LIMITS) as installation:
        look = measured(installation, f"look({rules}, {chosen.times})")
        bad = measured(installation, f"bad({rules // 10}, {chosen.times})")
        past = measured(installation, f"rehearse({chosen.days}, {chosen.times})")
        ingest = measured(installation, f"ingest(1000, {chosen.times})")
    rows = [
        _row(f"look at {rules:,} rates", [one[2:] for one in look["sweeps"]], look["bare"]),
        _row(f"follow {rules // 10:,} alerts that fire", bad["sweeps"], None),
        _row(f"rehearse {chosen.days} days of a 10 s series", past["took"], past["bare"]),
    ]
    table("Rules, one process", ["what", "took (ms)", "CPU (ms)", "bare (ms)", "ratio"], rows)
    none = median(ingest["none"])
    table(
        "Storing 1,000 samples at once, CPU as a share of that without rules",
        ["1,000 rules", "speed, ratio"],
        [[name, f"{none / median(ingest[name]):.2f}"] for name in ("others", "concerned")],
    )


def _row(name: str, took: Sequence[Sequence[float]], bare: Sequence[float] | None) -> list[str]:
    seconds, cpu = median(one[0] for one in took), median(one[1] for one in took)
    yardstick = ["", ""] if bare is None else [milliseconds(bare[0]), f"{seconds / bare[0]:.1f}"]
    return [name, milliseconds(seconds), milliseconds(cpu), *yardstick]
