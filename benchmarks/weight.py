"""Weight of an idle installation: memory and CPU of each process, with the demo, and the time until it is ready.

Memory is the proportional set size: a page that several processes share counts for each in part, so the sum is what all
of them hold together. CPU is per cent of one core, without a viewer and with one of the demo dashboard.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import psutil

from benchmarks.common import table
from benchmarks.crowd import Crowd
from benchmarks.system import System

SETTLES_S = 15.0
DEMO = "this-machine"


class Weight(NamedTuple):
    """Memory that a process of that name and its children hold, and CPU time that they have used."""

    pss_bytes: int
    cpu_s: float


def weights(system: System) -> dict[str, Weight]:
    """Return the weight of each process by its name, of what runs them as `run`."""
    assert system.process is not None
    run = psutil.Process(system.process.pid)
    names = {int(file.read_text()): file.stem for file in (system.data_dir / "run").glob("*.pid")}
    found = {"run": _weight([run])}
    for child in run.children():
        name = "fork server" if "dashboard_project.fork_server" in child.cmdline() else str(child.pid)
        found[names.get(child.pid, name)] = _weight([child, *child.children(recursive=True)])
    return found


def _weight(processes: Sequence[psutil.Process]) -> Weight:
    times = [process.cpu_times() for process in processes]
    return Weight(
        sum(process.memory_full_info().pss for process in processes), sum(one.user + one.system for one in times)
    )


def percent(before: Mapping[str, Weight], after: Mapping[str, Weight], seconds: float) -> dict[str, float]:
    """Return how many per cent of a core each process used."""
    return {name: 100 * (one.cpu_s - before[name].cpu_s) / seconds for name, one in after.items() if name in before}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks weight", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long CPU is measured (%(default)s)")
    parser.add_argument("--full", action="store_true", help="for five minutes")
    chosen = parser.parse_args(arguments)
    seconds = 300 if chosen.full else chosen.seconds
    with System() as system:
        system.stop()
        began = time.monotonic()
        system.start()
        system.wait_until_ready()
        ready_s = time.monotonic() - began
        cpu: list[dict[str, float]] = []
        for viewers in (0, 1):
            with ExitStack() as stack:
                if viewers:
                    stack.enter_context(Crowd(system.port, system.socket_path(DEMO), system.token, viewers))
                time.sleep(SETTLES_S)
                before = weights(system)
                time.sleep(seconds)
                after = weights(system)
                cpu.append(percent(before, after, seconds))
        rows = [
            [name, f"{one.pss_bytes / 2**20:.0f}", *(f"{of_one.get(name, 0.0):.1f}" for of_one in cpu)]
            for name, one in sorted(after.items())
        ]
        totals = [f"{sum(of_one.values()):.1f}" for of_one in cpu]
        rows.append(["in all", f"{sum(one.pss_bytes for one in after.values()) / 2**20:.0f}", *totals])
    headers = ["process", "PSS (MiB)", "CPU, nobody looks (%)", "CPU, one viewer (%)"]
    table(
        f"An idle installation with the demo, on SQLite; a later start was ready after {ready_s:.1f} s", headers, rows
    )
