"""Rendering 24 widgets, 8 of them charts of three series, with finer steps and bands, and without.

In a process of its own, on PostgreSQL: 25 hours of 72 series at 10 s, rolled up. A chart keeps the steps that it
rendered before, as for a page that is open.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks import postgresql
from benchmarks.common import ROOT, milliseconds, table


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks charts", description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="renders of each (%(default)s)")
    parser.add_argument("--full", action="store_true", help="no other than without")
    chosen = parser.parse_args(arguments)
    with postgresql.server() as url:
        data = url.partition("host=")[2] + "-data"
        env = {**os.environ, "DATABASE_URL": url, "DATA_DIR": data, "SECRET_KEY": "bench"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
        command = [sys.executable, "-m", "benchmarks.servers.renderer", str(chosen.times)]
        answer = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    measured: dict[str, list[tuple[float, int]]] = json.loads(answer.splitlines()[-1])
    rows = [
        [range_, milliseconds(usual), milliseconds(finer), f"{finer / usual:.2f}", f"{few:,}", f"{many:,}"]
        for range_, ((usual, few), (finer, many)) in measured.items()
    ]
    headers = ["range", "means of the window's steps, CPU (ms)", "finer, with bands", "ratio", "bytes", "bytes, finer"]
    table("A render of 24 widgets, 8 of them charts of three series", headers, rows)
