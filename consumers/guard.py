"""Looking again at access that is in doubt, and at all of it now and then, apart from all else that a hub does."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from metrics.live.bus import RECHECK, Recheck

log = structlog.get_logger(__name__)

RECHECK_S = 60
"""How often all access is looked at again, however often some of it is."""


class Guard:
    """Calls `recheck` with each doubt, one after another; the database may take its time."""

    def __init__(self, recheck: Callable[[Recheck], Awaitable[None]]) -> None:
        self._recheck = recheck
        self._doubts: asyncio.Queue[Recheck] = asyncio.Queue()

    def doubt(self, doubt: Recheck) -> None:
        """Have access looked at again soon."""
        self._doubts.put_nowait(doubt)

    async def run(self) -> None:
        """Look at access for good; a look that fails keeps nothing else from being looked at."""
        now = asyncio.get_running_loop().time
        all_due = now() + RECHECK_S
        while True:
            try:
                doubt = await asyncio.wait_for(self._doubts.get(), all_due - now())
            except TimeoutError:
                doubt = Recheck(type=RECHECK, user=None, dashboard=None)
                all_due = now() + RECHECK_S
            try:
                await self._recheck(doubt)
            except Exception:
                log.exception("access was not looked at again")
