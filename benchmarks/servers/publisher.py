"""`python -m benchmarks.servers.publisher hub SLUG RANGE` or `… tutorial URL LAYER`.

Publishes at the rate on its stdin. A process of its own, as the worker that renders is one: through
`metrics.live.bus.publish` for the hub, and for the tutorials' pattern through `group_send`.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks.servers.pace import Pace, fragment, frame


def main() -> None:
    kind, *arguments = sys.argv[1:]
    publish = to_hub(*arguments) if kind == "hub" else to_tutorial(*arguments)
    pace = Pace()
    number = 0
    while True:
        wait_s = pace.wait_s()
        time.sleep(0.02 if wait_s is None else wait_s)
        if wait_s is not None:
            publish(number := number + 1)


def to_hub(slug: str, range: str) -> Callable[[int], None]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")
    import django

    django.setup()
    return lambda number: put(slug, range, {"1": fragment()}, revision=1)


def put(slug: str, range: str, fragments: Mapping[str, str], revision: int) -> None:
    """Publish `fragments`, HTML by widget key, as a worker does that has rendered them."""
    from metrics.live import bus, snapshot
    from metrics.live.topic import variant
    from metrics.models import Dashboard

    topic = variant(Dashboard.objects.get(slug=slug).pk, range)
    bus.publish(topic, fragments, revision, time.time(), snapshot.next_turn(topic))


def to_tutorial(url: str, layer: str) -> Callable[[int], None]:
    from benchmarks.servers.tutorial import GROUP, configure

    configure(url, layer)
    from channels.layers import get_channel_layer

    loop, channels = asyncio.new_event_loop(), get_channel_layer()
    assert channels is not None

    def publish(number: int) -> None:
        loop.run_until_complete(channels.group_send(GROUP, {"type": "update", "html": frame(number)}))

    return publish


if __name__ == "__main__":
    main()
