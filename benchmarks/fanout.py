"""How many frames a second one server core can hand out, and how late they come.

Every pattern sends the same bytes, a fragment of 2 KB and a pulse, to as many sockets, from the same core, in the
same run; ratios are to `websockets.broadcast` in that run. `limit` raises the offered rate until no more is
delivered; `fixed` offers a rate that a good server carries easily, and compares how late frames come.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.common import LOAD_CORE, NOTHING, milliseconds, percentile, pin, table, usage
from benchmarks.servers import start
from benchmarks.sockets import Counts, Swarm

YARDSTICK = "broadcast"
SETTLES_S = 1.0
FIRST_FRAMES = 20_000  # a second, to all sockets together
RISES = 1.5
MORE = 1.05
BUSY = 0.85
FAR_BEHIND = 0.25
WARM_SOCKETS = 20
HEADERS = (
    "pattern", "sockets", "refused", "offered frames/s", "delivered frames/s", "ratio to yardstick",
    "latency p50 / p99 (ms)", "server CPU (s/s)", "CPU per frame (µs)", "memory per socket (kB)",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """Result of offering `rate` frames a second to each of `sockets`."""

    sockets: int
    rate: float
    counts: Counts
    cpu_s: float

    @property
    def delivered(self) -> float:
        return self.counts.frames / self.counts.seconds


@dataclass(frozen=True)
class Outcome:
    """One pattern: how many sockets got in, what one holds in the server, and the step that delivered most."""

    pattern: str
    sockets: int
    refused: int
    socket_bytes: float
    step: Step | None


def measure(pattern: str, sockets: int, seconds: float, rate: float | None) -> Outcome:
    """Start one server, open its sockets, and offer `rate`, or if it is None rising rates up to the limit."""
    with ExitStack() as stack:
        server = stack.enter_context(start.PATTERNS[pattern].start())
        swarm = Swarm(server.port, server.path, server.token, acknowledge=server.acknowledged)
        stack.callback(swarm.close)
        server.rated.say(1)
        swarm.connect(WARM_SOCKETS)  # what the first ones have the server load is no socket's weight
        swarm.read_first()
        empty_bytes = usage(server.process.pid).rss_bytes
        swarm.connect(sockets - WARM_SOCKETS)
        swarm.read_first()
        swarm.read(SETTLES_S)
        socket_bytes = (usage(server.process.pid).rss_bytes - empty_bytes) / max(1, len(swarm.clients) - WARM_SOCKETS)
        best = _limit(server, swarm, seconds) if rate is None else _step(server, swarm, rate, seconds)
        return Outcome(pattern, sockets, swarm.refused, socket_bytes, best)


def _limit(server: start.Server, swarm: Swarm, seconds: float) -> Step:
    """Raise the rate until that is twice in vain; return the step that delivered most."""
    rate = FIRST_FRAMES / max(1, len(swarm.clients))
    best = _step(server, swarm, rate, seconds)
    in_vain = 0
    while in_vain < 2:
        rate *= RISES
        step = _step(server, swarm, rate, seconds)
        # On a busy machine a step may bring little though the server could do more.
        limited = step.cpu_s > BUSY * step.counts.seconds or step.delivered < FAR_BEHIND * rate * step.sockets
        in_vain = in_vain + 1 if limited and step.delivered < best.delivered * MORE else 0
        best = max(best, step, key=lambda one: one.delivered)
    return best


def _step(server: start.Server, swarm: Swarm, rate: float, seconds: float) -> Step:
    server.rated.say(rate)
    swarm.read(SETTLES_S)
    before = usage(server.process.pid).cpu_s
    counts = swarm.read(seconds)
    return Step(len(swarm.clients), rate, counts, usage(server.process.pid).cpu_s - before)


def rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    steps = {one.pattern: one.step for one in outcomes}
    yardstick = steps.get(YARDSTICK)
    return [[start.PATTERNS[one.pattern].title, *_cells(one, yardstick)] for one in outcomes]


def _cells(outcome: Outcome, yardstick: Step | None) -> list[str]:
    step = outcome.step
    if step is None:
        return [f"{outcome.sockets:,}", f"{outcome.refused:,}", *[NOTHING] * (len(HEADERS) - 3)]
    latencies = step.counts.latencies_s
    return [
        f"{outcome.sockets:,}",
        f"{outcome.refused:,}",
        f"{step.rate * outcome.sockets:,.0f}",
        f"{step.delivered:,.0f}",
        f"{step.delivered / yardstick.delivered:.2f}" if yardstick else NOTHING,
        f"{milliseconds(percentile(latencies, 50))} / {milliseconds(percentile(latencies, 99))}",
        f"{step.cpu_s / step.counts.seconds:.2f}",
        f"{step.cpu_s / max(1, step.counts.frames) * 1e6:.1f}",
        f"{outcome.socket_bytes / 1000:,.0f}",
    ]


def compare(title: str, patterns: Sequence[str], sockets: int, seconds: float, rate: float | None, rounds: int) -> None:
    """Measure the patterns one after another, as often as there are rounds, and print the best of each.

    Other work on the machine only slows a server down, and never speeds it up.
    """
    best: dict[str, Outcome] = {}
    left_out: set[str] = set()
    for pattern in [*patterns] * rounds:
        if pattern in left_out:
            continue
        try:
            outcome = measure(pattern, sockets, seconds, rate)
        except start.NotHereError as error:
            left_out.add(pattern)
            print(f"Skipped {start.PATTERNS[pattern].title}: {error}")
            continue
        best[pattern] = max(best.get(pattern, outcome), outcome, key=_merit)
    table(title, HEADERS, rows([best[pattern] for pattern in patterns if pattern in best]))


def _merit(outcome: Outcome) -> tuple[float, float]:
    """At a fixed rate all may deliver the same; then what comes sooner is better."""
    if outcome.step is None:
        return 0.0, 0.0
    return round(outcome.step.delivered, -3), -percentile(outcome.step.counts.latencies_s, 99)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fanout", description=__doc__)
    parser.add_argument("--mode", choices=("limit", "fixed", "both"), default="both")
    parser.add_argument("--sockets", type=int, default=1000, help="sockets in limit mode (%(default)s)")
    parser.add_argument("--fixed-sockets", type=int, default=2000, help="sockets in fixed mode (%(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second and socket in fixed mode")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each rate is measured (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(start.PATTERNS), default=list(start.PATTERNS))
    parser.add_argument("--rounds", type=int, default=1, help="take the best of so many, in turns (%(default)s)")
    parser.add_argument("--full", action="store_true", help="10 s for each rate")
    chosen = parser.parse_args(arguments)
    seconds = 10.0 if chosen.full else chosen.seconds
    pin(LOAD_CORE)
    if chosen.mode != "fixed":
        title = f"Fan-out at its limit: {chosen.sockets:,} sockets, one server core"
        compare(title, chosen.only, chosen.sockets, seconds, None, chosen.rounds)
    if chosen.mode != "limit":
        title = (
            f"Fan-out at a fixed rate: {chosen.fixed_sockets:,} sockets, {chosen.rate:g} frames/s each, one server core"
        )
        compare(title, chosen.only, chosen.fixed_sockets, seconds, chosen.rate, chosen.rounds)
