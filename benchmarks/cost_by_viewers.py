"""Cost of one tick by the number of viewers of one dashboard: renders, queries, and each process's CPU.

Every second one push changes all widgets of a dashboard. Rendering should cost the same for one viewer and for a
thousand, and nothing for none; only the web process, which writes to each socket, should cost more.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.common import NOTHING, table
from benchmarks.crowd import Crowd
from benchmarks.system import System, widgets

SLUG = "costs"
WIDGETS = 24
SETTLES_S = 3.0
PROCESSES = ("web", "render", "collect")
TRANSACTIONS = "SELECT sum(xact_commit) FROM pg_stat_database"


class Reading(NamedTuple):
    """Totals up to now; `transactions` are queries, because Django sends each in one."""

    cpu_s: tuple[float, ...]
    renders: float
    frames: float
    transactions: float


def read(system: System, database: "psycopg.Connection[tuple[float]]") -> Reading:
    row = database.execute(TRANSACTIONS).fetchone()
    return Reading(
        tuple(system.usage_of(name).cpu_s for name in PROCESSES),
        system.own_metric("watchfloor_render_seconds_count"),
        system.own_metric("watchfloor_frames_total"),
        float(row[0]) if row else 0.0,
    )


def measure(system: System, database: "psycopg.Connection[tuple[float]]", viewers: int, ticks: int) -> list[float]:
    """Return renders, frames, queries and milliseconds of CPU by process, all for one tick, and sockets refused."""
    with Crowd(system.port, system.socket_path(SLUG), system.token, viewers) as crowd:
        tick(system, int(SETTLES_S))
        time.sleep(1.5)  # the hub counts its frames in Redis, and PostgreSQL its transactions, about once a second
        before = read(system, database)
        tick(system, ticks)
        time.sleep(2.5)
        after = read(system, database)
    cpu_ms = [(now - then) * 1000 / ticks for then, now in zip(before.cpu_s, after.cpu_s, strict=True)]
    counts = [(getattr(after, name) - getattr(before, name)) / ticks for name in ("renders", "frames", "transactions")]
    return [*counts, *cpu_ms, crowd.refused]


def tick(system: System, times: int) -> None:
    """Push a new value of every widget, once a second."""
    for number in range(times):
        next_at = time.monotonic() + 1
        system.push({f"pushed_{index}": time.time() % 1000 + number + index for index in range(WIDGETS)})
        time.sleep(max(0.0, next_at - time.monotonic()))


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cost_by_viewers", description=__doc__)
    parser.add_argument("--viewers", type=int, nargs="+", default=[0, 1, 100, 1000], help="(%(default)s)")
    parser.add_argument("--seconds", type=int, default=20, help="how long each is measured (%(default)s)")
    parser.add_argument("--full", action="store_true", help="with 5,000 viewers too")
    chosen = parser.parse_args(arguments)
    rows: list[list[str]] = []
    with ExitStack() as stack:
        url = postgresql(stack)
        system = stack.enter_context(System(DATABASE_URL=url))
        database = stack.enter_context(psycopg.connect(url, autocommit=True))
        system.make_dashboard(SLUG, widgets(WIDGETS))
        base: float | None = None
        for viewers in [*chosen.viewers, *([5000] if chosen.full else [])]:
            renders, frames, queries, *cpu_ms, refused = measure(system, database, viewers, chosen.seconds)
            cpu = [f"{one:.1f}" for one in cpu_ms]
            base = base if base is not None or not viewers else sum(cpu_ms)
            ratio = f"{sum(cpu_ms) / base:.2f}" if base else NOTHING
            rows.append(
                [f"{viewers:,}", f"{refused:.0f}", f"{renders:.2f}", f"{frames:,.1f}", f"{queries:.1f}", *cpu, ratio]
            )
    headers = [
        "viewers",
        "refused",
        "renders",
        "frames",
        "queries",
        *(f"{name}, CPU (ms)" for name in PROCESSES),
        "CPU, ratio to one viewer",
    ]
    table(f"Cost of one tick: {WIDGETS} widgets, one push a second, PostgreSQL", headers, rows)


def postgresql(stack: ExitStack) -> str:
    """Start a PostgreSQL as the tests do; return its URL."""
    from tests.services import start_postgresql

    folder = Path(tempfile.mkdtemp(prefix="wf-", dir="/tmp"))
    folder.chmod(0o755)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return start_postgresql(folder / "postgresql")
