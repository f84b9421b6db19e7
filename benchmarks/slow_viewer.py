"""Cost of viewers that never read: memory of the web process, and delay of viewers that do read.

They are opened between two measurements of the same readers at the same rate: how far those two differ is what the
machine does by itself. There are many of them, so that what
one holds stands out from what a process's memory does anyhow; and they are sent a full window before they are closed.
"""

import argparse
from collections.abc import Sequence

from benchmarks.common import LOAD_CORE, milliseconds, percentile, pin, table, usage
from benchmarks.servers import start
from benchmarks.sockets import Swarm

RATE = 20.0  # frames a second, 2 KB each: 256 KiB are sent within six seconds
READERS = 200
WINDOW_S = 20.0  # within the 30 s after which who acknowledges nothing is closed
SETTLES_S = 3.0


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks slow_viewer", description=__doc__)
    parser.add_argument("--deaf", type=int, default=50, help="viewers that never read (%(default)s)")
    parser.add_argument("--full", action="store_true", help="200 of them")
    chosen = parser.parse_args(arguments)
    deaf_count = 200 if chosen.full else chosen.deaf
    pin(LOAD_CORE)
    with start.PATTERNS["hub"].start() as server:
        readers = Swarm(server.port, server.path, server.token, acknowledge=True)
        deaf = Swarm(server.port, server.path, server.token)
        server.rated.say(RATE)
        readers.connect(READERS)
        readers.read_first()
        readers.read(SETTLES_S)
        alone = readers.read(WINDOW_S)
        before = usage(server.process.pid).rss_bytes
        deaf.connect(deaf_count)
        beside = readers.read(WINDOW_S)
        held = (usage(server.process.pid).rss_bytes - before) / deaf_count
        deaf.close()
        readers.read(SETTLES_S)
        again = readers.read(WINDOW_S)
        lost = readers.lost
        readers.close()
    rows = [
        [
            who,
            f"{counts.frames / counts.seconds:,.0f}",
            *(milliseconds(percentile(counts.latencies_s, at)) for at in (50, 99)),
        ]
        for who, counts in (("nobody", alone), (f"{deaf_count} that never read", beside), ("nobody again", again))
    ]
    table(f"{READERS} readers at {RATE:g} frames/s each, beside …", ["", "frames/s", "p50 (ms)", "p99 (ms)"], rows)
    print(f"\nOne that never reads holds {held / 1000:,.0f} kB of the web process's memory; readers lost: {lost}.")
