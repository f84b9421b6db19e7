"""The one way out: a new version of a variant goes into its snapshot, then to every process that shows it."""

from collections.abc import Mapping
from typing import Any, TypedDict

from channels.layers import get_channel_layer

from metrics.live import snapshot
from metrics.live.connection import run
from metrics.live.snapshot import Variant

TYPE = "fragments"


class Message(TypedDict):
    """What a process gets: the fragments that version `version` of `variant` changed, by widget id."""

    type: str
    variant: str
    epoch: str
    version: int
    build: str
    fragments: dict[str, str]


def group(variant: Variant) -> str:
    """Return the channel layer's group of `variant`."""
    return f"variant.{variant}"


def publish(variant: Variant, fragments: Mapping[int, str], build: str) -> snapshot.Stored:
    """Store `fragments` (HTML by widget id) as a new version and send those that changed.

    Raises redis.RedisError or TimeoutError when Redis does not answer.
    """
    stored = snapshot.store(variant, fragments, build)
    message: Message = {
        "type": TYPE,
        "variant": str(variant),
        "epoch": stored.epoch,
        "version": stored.version,
        "build": build,
        "fragments": {widget: fragments[int(widget)] for widget in stored.changed},
    }
    run(_send(group(variant), dict(message)))
    return stored


async def _send(name: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(name, message)
