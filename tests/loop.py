"""Clean-up that tests with an event loop of their own must do before it ends."""

from typing import Any

from channels.layers import get_channel_layer

from metrics.redis_state.connection import async_client


async def close() -> None:
    """Close every Redis connection that was opened on the running loop."""
    layer: Any = get_channel_layer()
    await layer.flush()
    await async_client().aclose()
    await async_client().connection_pool.disconnect()
