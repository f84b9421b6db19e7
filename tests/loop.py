"""Clean-up that tests with an event loop of their own must do before it ends."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from consumers import hub as hubs
from metrics.redis_state.connection import async_client


async def stop_hub() -> None:
    """End the hub of this loop, and close what it opened; the next one that is asked for is new."""
    tasks = hubs.hub()._tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    hubs.hub.cache_clear()
    await close()


async def close() -> None:
    """Close every Redis connection that was opened on the running loop, and the one of Django's async queries."""
    await database_sync_to_async(lambda: None)()  # which lets it go in the thread that they share
    layer: Any = get_channel_layer()
    await layer.flush()
    await async_client().aclose()
    await async_client().connection_pool.disconnect()
