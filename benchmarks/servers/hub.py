"""`python -m benchmarks.servers.hub daphne|uvicorn PORT`: this system's web process, but for one constant.

In production the hub gathers changes for 100 ms, so no socket gets more than ten frames a second. To find out
what it can carry, it flushes at once here. All else is as users run it, with settings from the environment.
"""

import sys

import django

from benchmarks.servers.pace import Pace
from dashboard_project import server  # first, because it chooses the Twisted reactor


def main() -> int:
    django.setup()
    import consumers.stream

    consumers.stream.FLUSH_S = 0
    Pace()  # only to end with its stdin
    if sys.argv[1] == "daphne":
        return server.main()
    import uvicorn

    uvicorn.run(
        "dashboard_project.asgi:application", port=int(sys.argv[2]), backlog=2048, loop="asyncio", log_level="error"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
