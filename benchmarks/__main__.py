"""`python -m benchmarks` runs all of them, `python -m benchmarks NAME [options]` runs one."""

import sys
from importlib import import_module

from benchmarks.common import CORES, machine, pin, raise_file_limit

NAMES = (
    "fanout",
    "compression",
    "slow_viewer",
    "push_to_page",
    "notify",
    "cost_by_viewers",
    "idle_and_reconnect",
    "browser_soak",
    "pages",
    "pushes",
    "rooms",
    "schedule",
    "many_variants",
    "history",
    "charts",
    "suggest",
    "alerts",
    "alert_latency",
    "weight",
)


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named, or all of them; `--full` reaches every one. Return the exit code."""
    names: tuple[str, ...] = NAMES
    if arguments and not arguments[0].startswith("-"):
        if arguments[0] not in NAMES:
            print(f"There is no benchmark {arguments[0]!r}; there are {', '.join(NAMES)}.", file=sys.stderr)
            return 2
        names, arguments = (arguments[0],), arguments[1:]
    if not {"-h", "--help"} & set(arguments):
        print(machine(), flush=True)
    raise_file_limit()
    failed = [name for name in names if not _run(name, arguments, alone=len(names) == 1)]
    return 1 if failed else 0


def _run(name: str, arguments: list[str], alone: bool) -> bool:
    """Run one; among others, one that fails is reported and the rest still run."""
    try:
        import_module(f"benchmarks.{name}").main(arguments)
        return True
    except Exception as error:
        if alone:
            raise
        print(f"\n{name} failed: {error!r}", file=sys.stderr, flush=True)
        return False
    finally:
        pin(*CORES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
