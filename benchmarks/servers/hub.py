"""`python -m benchmarks.servers.hub daphne|uvicorn`: this system's web process, but for one constant.

In production the hub gathers changes for 100 ms, so no socket gets more than ten frames a second. To find out
what it can carry, it flushes at once here. All else is as users run it; HOST, PORT and DATA_DIR are too.
"""

import sys

from benchmarks.servers.pace import Pace
from dashboard_project import server  # before all that could choose another Twisted reactor

import consumers.stream


def main() -> int:
    consumers.stream.FLUSH_S = 0
    Pace()  # only to end with its stdin
    if sys.argv[1] == "daphne":
        return server.main()
    import uvicorn

    port = int(sys.argv[2])
    uvicorn.run("dashboard_project.asgi:application", port=port, backlog=2048, loop="asyncio", log_level="error")
    return 0


if __name__ == "__main__":
    sys.exit(main())
